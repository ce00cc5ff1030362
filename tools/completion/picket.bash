# Completion for picket(1) in bash.
_picket() {
    local cur=${COMP_WORDS[COMP_CWORD]} root=() verb= i word
    local verbs="do doctor create start run exec kill delete state list ps pause resume wait events update spec features
        checkpoint restore stacks strace metrics debug install uninstall help"
    COMPREPLY=()
    for ((i = 1; i < COMP_CWORD; i++)); do
        word=${COMP_WORDS[i]}
        case $word in
        --root=*) root=(--root "${word#*=}") ;;
        --root) root=(--root "${COMP_WORDS[++i]}") ;;
        --log | --log-format | --cgroup-manager | --debug-log) i=$((i + 1)) ;;
        -*) ;;
        *)
            verb=$word
            break
            ;;
        esac
    done
    if [ -z "$verb" ]; then
        if [[ $cur == -* ]]; then
            mapfile -t COMPREPLY < <(compgen -W "--root --log --log-format --debug --systemd-cgroup --cgroup-manager
                --rootless --strace --debug-log --version --help" -- "$cur")
        else
            mapfile -t COMPREPLY < <(compgen -W "$verbs" -- "$cur")
        fi
        return
    fi
    if [[ $cur == -* ]]; then
        mapfile -t COMPREPLY < <(compgen -W "$(picket "$verb" --help 2>/dev/null | grep -o -- '--[a-z-]*')" -- "$cur")
        return
    fi
    case $verb in
    start | exec | kill | delete | state | ps | pause | resume | wait | events | update | stacks | strace | metrics | debug)
        mapfile -t COMPREPLY < <(compgen -W "$(picket "${root[@]}" list --quiet 2>/dev/null)" -- "$cur")
        ;;
    help) mapfile -t COMPREPLY < <(compgen -W "$verbs" -- "$cur") ;;
    *) mapfile -t COMPREPLY < <(compgen -f -- "$cur") ;;
    esac
}
complete -F _picket picket
