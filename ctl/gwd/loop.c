/* SPDX-License-Identifier: GPL-2.0-only */
#include <gwd/ifs.h>
#include <gwd/loop.h>
#include <gwd/say.h>
#include <gwd/txn.h>
#include <signal.h>
#include <sys/epoll.h>
#include <systemd/sd-daemon.h>
#include <systemd/sd-event.h>
#include <time.h>

#define NET_INTERVAL_NS 250000000ULL /* at most four times a second, the first time at once */

uint64_t now_ns(int clock)
{
	struct timespec ts;

	clock_gettime(clock, &ts);
	return (uint64_t)ts.tv_sec * 1000000000 + ts.tv_nsec;
}

static void notify_status(const struct gwd *g)
{
	const struct ifs_row *rows;
	size_t n = ifs_rows(g->ifs, &rows), attached = 0;

	for (size_t i = 0; i < n; i++)
		attached += rows[i].attached;
	sd_notifyf(0, "STATUS=Serving %zu interfaces, ruleset generation %u", attached, g->gen);
}

static int on_exit_signal(sd_event_source *source, const struct signalfd_siginfo *si, void *arg)
{
	log_info("Exiting, traffic goes on signal=%u", si->ssi_signo);
	sd_notify(0, "STOPPING=1");
	return sd_event_exit(sd_event_source_get_event(source), 0);
}

static int on_reload(sd_event_source *source, const struct signalfd_siginfo *si, void *arg)
{
	struct gwd *g = arg;
	struct txn_result res;
	struct diag d = { 0 };
	int r;

	sd_notifyf(0, "RELOADING=1\nMONOTONIC_USEC=%llu",
		   (unsigned long long)(now_ns(CLOCK_MONOTONIC) / 1000));
	r = txn_apply_file(g, &res, &d);
	if (r) {
		log_err("Refused the ruleset file, nothing was changed path=%s generation=%u",
			g->path.ruleset, g->gen);
		if (r > 0)
			say_diag_log(&d);
	}
	sd_notify(0, "READY=1");
	notify_status(g);
	return 0;
}

static int add_signals(struct gwd *g)
{
	static const struct {
		int signal;
		sd_event_signal_handler_t handler;
	} rows[] = {
		{ SIGTERM, on_exit_signal },
		{ SIGINT, on_exit_signal },
		{ SIGHUP, on_reload },
	};
	sigset_t set;
	int r = 0;

	sigemptyset(&set);
	sigaddset(&set, SIGCHLD); /* jobs */
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
		sigaddset(&set, rows[i].signal);
	if (sigprocmask(SIG_BLOCK, &set, NULL) < 0)
		return raise(-errno, "signals");
	for (size_t i = 0; i < ARRAY_SIZE(rows) && r >= 0; i++)
		r = sd_event_add_signal(g->loop, NULL, rows[i].signal, rows[i].handler, g);
	return r < 0 ? raise(r, "signals") : 0;
}

int loop_open(struct gwd *g)
{
	int r = sd_event_new(&g->loop);

	if (r >= 0)
		r = sd_event_set_watchdog(g->loop, true);
	if (r < 0)
		return raise(r, "event loop");
	return add_signals(g);
}

static void net_sync(struct gwd *g)
{
	g->net_synced_ns = now_ns(CLOCK_MONOTONIC);
	/* an error here was said; what is attached goes on, the next change tries again */
	if (ifs_sync(g) == 0)
		notify_status(g);
}

static int on_net_timer(sd_event_source *source, uint64_t usec, void *arg)
{
	net_sync(arg);
	return 0;
}

static int on_net_change(sd_event_source *source, int fd, uint32_t events, void *arg)
{
	struct gwd *g = arg;
	unsigned int changed = 0;
	uint64_t due = g->net_synced_ns + NET_INTERVAL_NS;

	if (nl_monitor_read(g->monitor, &changed) < 0 || !changed)
		return 0;
	if (now_ns(CLOCK_MONOTONIC) >= due) {
		net_sync(g);
		return 0;
	}
	sd_event_source_set_time(g->timer_net, due / 1000);
	return sd_event_source_set_enabled(g->timer_net, SD_EVENT_ONESHOT);
}

int loop_watch_network(struct gwd *g)
{
	int r = nl_monitor_open(&g->monitor);

	if (r < 0)
		return r;
	r = sd_event_add_io(g->loop, NULL, nl_monitor_fd(g->monitor), EPOLLIN, on_net_change, g);
	if (r >= 0)
		r = sd_event_add_time(g->loop, &g->timer_net, CLOCK_MONOTONIC, 0, 1000,
				      on_net_timer, g);
	if (r >= 0)
		r = sd_event_source_set_enabled(g->timer_net, SD_EVENT_OFF);
	return r < 0 ? raise(r, "netlink monitor") : 0;
}

int loop_run(struct gwd *g)
{
	int r;

	g->ready = true;
	sd_notify(0, "READY=1");
	notify_status(g);
	log_info("Ready generation=%u pid=%d runtime_dir=%s", g->gen, (int)getpid(),
		 g->path.runtime_dir);
	r = sd_event_loop(g->loop);
	return r < 0 ? raise(r, "event loop") : 0;
}

void loop_close(struct gwd *g)
{
	sd_event_source_unref(g->timer_expire);
	sd_event_source_unref(g->timer_events);
	sd_event_source_unref(g->timer_net);
	g->loop = sd_event_unref(g->loop);
	g->monitor = nl_monitor_free(g->monitor);
}
