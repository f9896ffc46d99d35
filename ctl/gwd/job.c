/* SPDX-License-Identifier: GPL-2.0-only */
#include <gwd/client.h>
#include <gwd/job.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <systemd/sd-event.h>

static int job_ended(sd_event_source *source, const siginfo_t *si, void *arg)
{
	bool ok = si->si_code == CLD_EXITED && si->si_status == 0;

	if (si->si_code != CLD_EXITED)
		log_warning("Lost a job to a signal pid=%d signal=%d", (int)si->si_pid,
			    si->si_status);
	client_job_done(arg, ok);
	return 0;
}

void job_detach(struct gwd *g, struct client *c)
{
	sigset_t none;

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	/* the lock would live as long as the slowest reader */
	close(g->lock_fd);
	server_close_others(g->server, c);
}

static _Noreturn void job_main(struct gwd *g, struct client *c, const struct verb *verb,
			       json_t *req)
{
	struct reply r = { .fd = client_fd(c) };
	int code;

	job_detach(g, c);
	code = verb->run(g, req, &r);
	reply_end(&r, code);
	_exit(r.failed);
}

int job_start(struct gwd *g, struct client *c, const struct verb *verb, json_t *req,
	      struct reply *r)
{
	sd_event_source *source = NULL;
	pid_t pid = fork();
	int rc;

	if (pid == 0)
		job_main(g, c, verb, req);
	if (pid < 0) {
		reply_error(r, "cannot start a job: %s", strerror(errno));
		return REQUEST_FAILED;
	}
	rc = sd_event_add_child(g->loop, &source, pid, WEXITED, job_ended, c);
	if (rc < 0) { /* nobody would see its end: it must not answer either */
		kill(pid, SIGKILL);
		waitpid(pid, NULL, 0);
		client_close_when_sent(c);
		raise(rc, "watch a job");
		return REQUEST_STREAM;
	}
	client_job_started(c, source);
	return REQUEST_STREAM;
}
