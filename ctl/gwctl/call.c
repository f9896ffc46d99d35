/* SPDX-License-Identifier: GPL-2.0-only */
/* What every verb uses: messages, requests, words of the command line. */
#include <gwctl/gwctl.h>
#include <wire/wire.h>

static int say(int code, const char *fmt, va_list args)
{
	fflush(stdout);
	fputs("gwctl: ", stderr);
	vfprintf(stderr, fmt, args);
	fputc('\n', stderr);
	return code;
}

int usage_error(const char *fmt, ...)
{
	va_list args;
	int r;

	va_start(args, fmt);
	r = say(EXIT_USAGE, fmt, args);
	va_end(args);
	return r;
}

int refuse(const char *fmt, ...)
{
	va_list args;
	int r;

	va_start(args, fmt);
	r = say(EXIT_REFUSED, fmt, args);
	va_end(args);
	return r;
}

int refuse_diag(const struct diag *d)
{
	struct strbuf b = { 0 };

	fflush(stdout);
	diag_render(d, &b);
	fputs(b.s ? b.s : "error: out of memory\n", stderr);
	strbuf_deinit(&b);
	return EXIT_REFUSED;
}

int gwctl_connect(struct gwctl *g)
{
	int r = g->client ? 0 : client_open(g->socket, &g->client);

	if (r == -EACCES)
		return refuse("cannot reach gwd at %s: permission denied; be root or a member of "
			      "the group gatewarden",
			      g->socket);
	if (r < 0)
		return refuse(
			"cannot reach gwd at %s: %s; start it with `systemctl start gatewarden'",
			g->socket, strerror(-r));
	return EXIT_OK;
}

static int lost(struct gwctl *g, int r)
{
	g->client = client_close(g->client);
	if (r == -EPROTO || r == -EMSGSIZE)
		return refuse("%s does not speak gwctl's protocol; are gwd and gwctl of the same "
			      "version?",
			      g->socket);
	if (r == -ECONNRESET || r == -EPIPE)
		return refuse("gwd at %s closed the connection; see `journalctl -u gatewarden'",
			      g->socket);
	return refuse("talking to gwd at %s: %s", g->socket, strerror(-r));
}

int gwctl_report(const struct reply *reply)
{
	const char *diag = json_string_value(json_object_get(reply->error, "diag"));
	const char *error = json_string_value(json_object_get(reply->error, "error"));
	size_t len = diag ? strlen(diag) : 0;

	if (!reply->error && !reply->code)
		return EXIT_OK;
	if (len) {
		fflush(stdout);
		fprintf(stderr, "%s%s", diag, diag[len - 1] == '\n' ? "" : "\n");
	} else if (reply->error) {
		refuse("%s", error ? error : "gwd refused without saying why");
	}
	return reply->code ? reply->code : EXIT_REFUSED;
}

int gwctl_stream(struct gwctl *g, json_t *request, const struct flow_sink *sink, struct reply *ret)
{
	int r = request ? gwctl_connect(g) : refuse("out of memory");

	if (!r) {
		r = client_call(g->client, request, sink, ret);
		if (r < 0)
			r = lost(g, r);
		else if (r == CLIENT_E_STOPPED)
			g->client = client_close(g->client), r = EXIT_OK;
		else
			r = gwctl_report(ret);
	}
	json_decref(request);
	return r;
}

int gwctl_call(struct gwctl *g, json_t *request, struct reply *ret)
{
	return gwctl_stream(g, request, NULL, ret);
}

int print_json(const json_t *value)
{
	if (!value)
		return refuse("gwd sent no JSON");
	if (json_dumpf(value, stdout, JSON_INDENT(2) | JSON_ENCODE_ANY | JSON_PRESERVE_ORDER) < 0)
		return refuse("cannot write JSON");
	putchar('\n');
	return EXIT_OK;
}

int gwctl_print(struct gwctl *g, json_t *request)
{
	_cleanup_(reply_deinit) struct reply reply = { 0 };
	int r = gwctl_call(g, request, &reply);

	if (r)
		return r;
	if (g->json)
		return print_json(reply.json);
	if (reply.text.len)
		fwrite(reply.text.s, 1, reply.text.len, stdout);
	return EXIT_OK;
}

static void remove_word(int *argc, char **argv, int at)
{
	memmove(&argv[at], &argv[at + 1], (*argc - at - 1) * sizeof(*argv));
	--*argc;
}

bool take_flag(int *argc, char **argv, const char *name)
{
	for (int i = 0; i < *argc; i++)
		if (!strcmp(argv[i], name)) {
			remove_word(argc, argv, i);
			return true;
		}
	return false;
}

int take_value(int *argc, char **argv, const char *name, const char **ret)
{
	size_t len = strlen(name);

	for (int i = 0; i < *argc; i++) {
		if (strncmp(argv[i], name, len) || (argv[i][len] && argv[i][len] != '='))
			continue;
		if (argv[i][len] == '=') {
			*ret = argv[i] + len + 1;
		} else if (i + 1 < *argc) {
			*ret = argv[i + 1];
			remove_word(argc, argv, i + 1);
		} else {
			return usage_error("%s needs a value", name);
		}
		remove_word(argc, argv, i);
		return EXIT_OK;
	}
	return EXIT_OK;
}

int reject_options(int argc, char **argv)
{
	for (int i = 0; i < argc; i++)
		if (argv[i][0] == '-' && argv[i][1])
			return usage_error("unknown option `%s'", argv[i]);
	return EXIT_OK;
}

static int read_stdin(char **ret_text, size_t *ret_len)
{
	_cleanup_(strbuf_deinit) struct strbuf b = { 0 };
	char buf[65536];
	size_t n;

	while ((n = fread(buf, 1, sizeof(buf), stdin)) > 0) {
		if (b.len + n > INPUT_MAX)
			return -EFBIG;
		strbuf_add(&b, buf, n);
	}
	if (ferror(stdin))
		return -EIO;
	*ret_len = b.len;
	*ret_text = strbuf_take(&b);
	return *ret_text ? 0 : -ENOMEM;
}

int read_input(const char *path, char **ret_text, size_t *ret_len)
{
	int r = strcmp(path, "-") ? file_read(path, INPUT_MAX, ret_text, ret_len)
				  : read_stdin(ret_text, ret_len);

	if (r == -EFBIG)
		return refuse("%s is larger than %u MB", path, INPUT_MAX >> 20);
	return r < 0 ? refuse("cannot read %s: %s", path, strerror(-r)) : EXIT_OK;
}
