/*
 * System V shared memory, semaphores and message queues: the verbs behind the calls, and what other parts need of
 * them. Each works on the current task's IPC namespace.
 */
#pragma once
#include "base/base.h"
#include "base/strbuf.h"
#include "ipc/object.h"

struct sem_undo_list;
struct sembuf;

/* shm.c */
int64_t do_shmget(int32_t key, uint64_t size, int flags);
int64_t do_shmat(int id, uaddr_t addr, int flags);
int64_t do_shmdt(uaddr_t addr);
int64_t do_shmctl(int id, int cmd, uaddr_t buf);
void shm_destroy_locked(struct ipc_object *o);

/* sem.c, sem_control.c. The deadline is absolute; NO_DEADLINE: none. */
int64_t do_semget(int32_t key, int count, int flags);
int64_t do_semop(int id, const struct sembuf *ops, unsigned count, int64_t deadline);
int64_t do_semctl(int id, int index, int cmd, uint64_t arg);
void sem_destroy_locked(struct ipc_object *o);

/* msg.c, msg_control.c. `text` is consumed by do_msgsnd. */
int64_t do_msgget(int32_t key, int flags);
int64_t do_msgsnd(int id, uaddr_t msg, uint64_t size, int flags);
int64_t do_msgrcv(int id, uaddr_t msg, uint64_t size, int64_t type, int flags);
int64_t do_msgctl(int id, int cmd, uaddr_t buf);
void msg_destroy_locked(struct ipc_object *o);

/* /proc/sysvipc/shm and its like: what the reader may see. */
void shm_show(struct ipc_namespace *ns, struct strbuf *out);
void sem_show(struct ipc_namespace *ns, struct strbuf *out);
void msg_show(struct ipc_namespace *ns, struct strbuf *out);
