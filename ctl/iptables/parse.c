/* SPDX-License-Identifier: GPL-2.0-only */
#include <iptables/parse.h>
#include <iptables/ext.h>
#include <iptables/names.h>

enum { KEY_LINE_NUMBERS = 1 };
enum { ADDRESSES_MAX = 1024 };
#define CHAIN_NAME_MAX	   29 /* with its NUL */
#define CHAIN_NAME_WITHOUT "\"\\'{};#"

static const struct arg_option globals[] = {
	{ "append", 'A', ARG_REQUIRED },
	{ "delete", 'D', ARG_REQUIRED },
	{ "check", 'C', ARG_REQUIRED },
	{ "insert", 'I', ARG_REQUIRED },
	{ "replace", 'R', ARG_REQUIRED },
	{ "list", 'L', ARG_OPTIONAL },
	{ "list-rules", 'S', ARG_OPTIONAL },
	{ "flush", 'F', ARG_OPTIONAL },
	{ "zero", 'Z', ARG_OPTIONAL },
	{ "new-chain", 'N', ARG_REQUIRED },
	{ "delete-chain", 'X', ARG_OPTIONAL },
	{ "rename-chain", 'E', ARG_REQUIRED },
	{ "policy", 'P', ARG_REQUIRED },
	{ "source", 's', ARG_REQUIRED },
	{ "src", 's', ARG_REQUIRED },
	{ "destination", 'd', ARG_REQUIRED },
	{ "dst", 'd', ARG_REQUIRED },
	{ "protocol", 'p', ARG_REQUIRED },
	{ "in-interface", 'i', ARG_REQUIRED },
	{ "out-interface", 'o', ARG_REQUIRED },
	{ "jump", 'j', ARG_REQUIRED },
	{ "goto", 'g', ARG_REQUIRED },
	{ "match", 'm', ARG_REQUIRED },
	{ "table", 't', ARG_REQUIRED },
	{ "wait", 'w', ARG_OPTIONAL },
	{ "verbose", 'v', ARG_NONE },
	{ "numeric", 'n', ARG_NONE },
	{ "exact", 'x', ARG_NONE },
	{ "fragments", 'f', ARG_NONE },
	{ "line-numbers", KEY_LINE_NUMBERS, ARG_NONE },
	{ "set-counters", 'c', ARG_REQUIRED },
	{ "ipv4", '4', ARG_NONE },
	{ "ipv6", '6', ARG_NONE },
	{ "version", 'V', ARG_NONE },
	{ "help", 'h', ARG_NONE },
	{},
};

struct parser {
	struct command *c;
	struct args args;
	struct arg_token t;
	bool bang;
	struct diag *d;
};

/* An option and whose it is. */
struct found {
	const struct arg_option *option;
	struct xt_match *match;
	bool of_target;
	int fit;
};

int xt_refuse(struct diag *d, const char *fmt, ...)
{
	char text[sizeof(d->text)];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	diag_set(d, "%s", text);
	return IPTABLES_E_DIAG;
}

int xt_usage(struct diag *d, const char *fmt, ...)
{
	char text[sizeof(d->text)];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	diag_set(d, "%s", text);
	return IPTABLES_E_USAGE;
}

/* Look through one table of options; a better fit than before replaces it, an equal one of another meaning is a clash. */
static bool find_in(const struct arg_option *options, const struct arg_token *t,
		    struct xt_match *match, bool of_target, struct found *f)
{
	bool clear = true;

	for (const struct arg_option *o = options; o->name; o++) {
		int fit = arg_fits(t, o->name);

		if (fit > f->fit) {
			*f = (struct found){ o, match, of_target, fit };
			clear = true;
		} else if (fit == 1 && f->fit == 1 &&
			   (o->key != f->option->key || match != f->match ||
			    of_target != f->of_target)) {
			clear = false;
		}
	}
	return clear;
}

/* The newest match comes first: a second -m of the same name has options of its own. */
static int find_long(struct parser *p, struct found *f)
{
	struct xt_rule *x = &p->c->rule;
	bool clear = true;

	*f = (struct found){};
	for (size_t i = x->n_matches; i-- > 0 && f->fit < 2;)
		clear = find_in(match_row(x->matches[i].kind)->options, &p->t, &x->matches[i],
				false, f) &&
			clear;
	if (f->fit < 2)
		clear = find_in(target_row(x->target.kind)->options, &p->t, NULL, true, f) && clear;
	if (f->fit < 2)
		clear = find_in(globals, &p->t, NULL, false, f) && clear;
	if (f->fit == 1 && !clear)
		return xt_usage(p->d, "option `%s' may mean several options", p->t.text);
	return 0;
}

static int add_match(struct parser *p, const struct match_row *row)
{
	struct xt_rule *x = &p->c->rule;

	if (x->n_matches == XT_MATCHES_MAX)
		return xt_refuse(p->d, "more than %d matches in one rule", XT_MATCHES_MAX);
	x->matches[x->n_matches++] =
		(struct xt_match){ .kind = match_kind(row), .mask = UINT32_MAX };
	return 0;
}

static bool has_match(const struct xt_rule *x, const char *name)
{
	for (size_t i = 0; i < x->n_matches; i++)
		if (!strcmp(match_row(x->matches[i].kind)->name, name))
			return true;
	return false;
}

/* `-p tcp --dport 22` names the tcp match by its option: the protocol's own match comes by itself. */
static int find_implicit(struct parser *p, struct found *f)
{
	struct xt_rule *x = &p->c->rule;
	char number[8];
	const char *name = x->proto ? proto_to_name(x->proto, number) : "";
	const struct match_row *row;

	if (x->proto == IPPROTO_ICMPV6)
		name = "icmp6";
	row = match_find(name, x->version);
	if (!row || !row->proto || row->proto != x->proto || has_match(x, row->name))
		return 0;
	find_in(row->options, &p->t, NULL, false, f);
	return f->option ? add_match(p, row) : 0;
}

static int unsupported(struct parser *p)
{
	struct xt_rule *x = &p->c->rule;
	struct found f = {};

	for (int i = 0; !x->proto && i < XT_MATCH_MAX; i++) {
		if (!match_row((enum xt_match_kind)i)->proto)
			continue;
		find_in(match_row((enum xt_match_kind)i)->options, &p->t, NULL, false, &f);
		if (f.option)
			return xt_usage(p->d,
					"option `%s' needs a protocol before it, like `-p %s'",
					p->t.text, match_row((enum xt_match_kind)i)->name);
	}
	return xt_refuse(p->d, "option `%s' is not supported", p->t.text);
}

static int find_option(struct parser *p, struct found *f)
{
	int r;

	*f = (struct found){};
	if (p->t.kind == ARG_SHORT) {
		for (const struct arg_option *o = globals; o->name; o++)
			if (o->key == p->t.key && o->key > ' ')
				f->option = o;
		return f->option ? 0 : unsupported(p);
	}
	r = find_long(p, f);
	if (!r && !f->option) {
		r = find_implicit(p, f);
		if (!r && f->option)
			f->match = &p->c->rule.matches[p->c->rule.n_matches - 1];
	}
	if (!r && !f->option)
		r = unsupported(p);
	return r;
}

static int read_proto(struct parser *p, const char *value)
{
	struct xt_rule *x = &p->c->rule;

	if (x->proto_given)
		return xt_usage(p->d, "multiple -p flags not allowed");
	if (!name_to_proto(value, &x->proto))
		return xt_usage(p->d, "unknown protocol `%.64s' specified", value);
	if (!x->proto && p->bang)
		return xt_usage(p->d, "rule would never match protocol");
	x->proto_given = true;
	x->proto_invert = p->bang;
	return 0;
}

/* Printable ASCII without these: what the native language can name, too. */
static bool is_name(const char *s, const char *without)
{
	for (; *s; s++)
		if (*s <= ' ' || *s >= 127 || strchr(without, *s))
			return false;
	return true;
}

static int read_if(struct parser *p, const char *value, char *name, bool *invert)
{
	if (*name || *invert)
		return xt_usage(p->d, "multiple %s flags not allowed", p->t.text);
	if (!*value)
		return xt_usage(p->d, "`%s' needs the name of an interface", p->t.text);
	if (strlen(value) > 15)
		return xt_usage(p->d, "interface name `%.64s' must be shorter than 16 characters",
				value);
	if (!is_name(value, "/*!\"\\"))
		return xt_usage(p->d, "bad character in interface name `%s'", value);
	if (!strcmp(value, "+") && p->bang)
		return xt_refuse(p->d, "`! %s +' never matches", p->t.text);
	*invert = p->bang;
	/* every interface: no match at all */
	if (strcmp(value, "+"))
		snprintf(name, 16, "%s", value);
	return 0;
}

static int read_addrs(struct parser *p, const char *value, const char **list, struct xt_addr *a)
{
	if (*list)
		return xt_usage(p->d, "multiple %s flags not allowed", p->t.text);
	if (p->bang && strchr(value, ','))
		return xt_usage(p->d,
				"! not allowed with multiple source or destination IP addresses");
	*list = value;
	a->invert = p->bang;
	return 0;
}

static int read_match(struct parser *p, const char *value)
{
	const struct match_row *row = match_find(value, p->c->version);

	if (!row)
		return xt_refuse(p->d, "match `%.64s' is not supported", value);
	return add_match(p, row);
}

/* A target, or the name of a chain: whether that exists is seen when the command is carried out. */
static int read_target(struct parser *p, const char *value, bool go_to)
{
	struct xt_target *t = &p->c->rule.target;
	enum xt_target_kind kind = go_to ? XT_TARGET_MAX : target_find(value);
	const struct target_row *row;

	if (t->kind != XT_NO_TARGET)
		return xt_usage(p->d, "multiple -j flags not allowed");
	row = kind == XT_TARGET_MAX ? NULL : target_row(kind);
	if ((row && row->version && row->version != p->c->version) ||
	    (!row && !go_to && target_is_known(value)))
		return xt_refuse(p->d, "target `%.64s' is not supported%s", value,
				 row ? " for this family" : "");
	if (row) {
		*t = (struct xt_target){ .kind = kind };
		return 0;
	}
	if (!*value || strlen(value) >= CHAIN_NAME_MAX || !is_name(value, CHAIN_NAME_WITHOUT))
		return xt_usage(p->d, "Invalid target name `%.64s' (%d chars max)", value,
				CHAIN_NAME_MAX - 1);
	*t = (struct xt_target){ .kind = XT_CHAIN, .go_to = go_to };
	snprintf(t->chain, sizeof(t->chain), "%s", value);
	return 0;
}

static int read_fragment(struct parser *p)
{
	struct xt_rule *x = &p->c->rule;

	if (p->c->version == 6)
		return xt_usage(p->d, "`-f' is not supported in IPv6, use -m frag instead");
	if (x->frag)
		return xt_usage(p->d, "multiple -f flags not allowed");
	x->frag = true;
	x->frag_invert = p->bang;
	return 0;
}

static int read_counters(struct parser *p, const char *value)
{
	struct xt_rule *x = &p->c->rule;
	const char *bytes = NULL;
	char packets[32];

	snprintf(packets, sizeof(packets), "%.*s", (int)MIN(strcspn(value, ","), 31U), value);
	if (strchr(value, ','))
		bytes = strchr(value, ',') + 1;
	else if (p->args.at < p->args.argc)
		bytes = p->args.argv[p->args.at++];
	if (!bytes)
		return xt_usage(p->d, "-c requires packet and byte counter");
	if (!str_to_u64(packets, 0, UINT64_MAX, &x->pkts))
		return xt_usage(p->d, "-c packet counter not numeric");
	if (!str_to_u64(bytes, 0, UINT64_MAX, &x->bytes))
		return xt_usage(p->d, "-c byte counter not numeric");
	x->counters = true;
	return 0;
}

/* Options that describe a rule. */
static int read_rule_option(struct parser *p, char key, const char *value)
{
	struct command *c = p->c;
	struct xt_rule *x = &c->rule;

	if (!c->has_spec)
		snprintf(c->spec_option, sizeof(c->spec_option), "%s", p->t.text);
	c->has_spec = true;
	switch (key) {
	case 's':
		return read_addrs(p, value, &c->sources, &x->src);
	case 'd':
		return read_addrs(p, value, &c->destinations, &x->dst);
	case 'p':
		return read_proto(p, value);
	case 'i':
		return read_if(p, value, x->iif, &x->iif_invert);
	case 'o':
		return read_if(p, value, x->oif, &x->oif_invert);
	}
	if (key == 'f')
		return read_fragment(p);
	if (p->bang)
		return xt_usage(p->d, "cannot have ! before %s", p->t.text);
	if (key == 'm')
		return read_match(p, value);
	return read_target(p, value, key == 'g');
}

static const char *next_plain(struct parser *p)
{
	const char *next = p->args.at < p->args.argc ? p->args.argv[p->args.at] : NULL;

	if (!next || (p->args.cluster && *p->args.cluster) || next[0] == '-' || next[0] == '!')
		return NULL;
	p->args.at++;
	return next;
}

static int read_number(struct parser *p, bool must)
{
	const char *word = next_plain(p);
	uint64_t n;

	if (!word)
		return must ? xt_usage(p->d, "-%c requires a rule number", p->c->key) : 0;
	if (!str_to_u64(word, 1, UINT32_MAX, &n))
		return xt_usage(p->d, "invalid rule number `%.64s'", word);
	p->c->number = (uint32_t)n;
	return 0;
}

static int check_chain_name(const char *name, struct diag *d)
{
	if (!*name || *name == '-' || *name == '!')
		return xt_usage(d, "chain name not allowed to start with `%.1s'", name);
	if (strlen(name) >= CHAIN_NAME_MAX)
		return xt_usage(d, "chain name `%.64s' too long (must be under %d chars)", name,
				CHAIN_NAME_MAX);
	if (target_find(name) != XT_TARGET_MAX || target_is_known(name))
		return xt_usage(d, "chain name may not clash with target name");
	if (!is_name(name, CHAIN_NAME_WITHOUT))
		return xt_usage(d, "invalid chain name `%s'", name);
	return 0;
}

static int read_command_rest(struct parser *p)
{
	struct command *c = p->c;

	switch (c->key) {
	case 'D':
		/* a number, or the rule itself */
	case 'I':
	case 'L':
	case 'S':
	case 'Z':
		return c->chain ? read_number(p, false) : 0;
	case 'R':
		return read_number(p, true);
	case 'N':
		return check_chain_name(c->chain, p->d);
	case 'E':
	case 'P':
		c->arg = next_plain(p);
		if (!c->arg)
			return xt_usage(p->d, "-%c requires a chain and a %s", c->key,
					c->key == 'P' ? "policy" : "new name");
		return c->key == 'E' ? check_chain_name(c->arg, p->d) : 0;
	}
	return 0;
}

static int read_command(struct parser *p, char key, const char *value)
{
	struct command *c = p->c;

	if (p->bang)
		return xt_usage(p->d, "cannot have ! before %s", p->t.text);
	if (c->key && key == 'Z' && strchr("LS", c->key) && !value) {
		c->zero = true;
		return 0;
	}
	if (c->key == 'Z' && !c->chain && strchr("LS", key)) {
		c->zero = true;
		c->key = 0;
	}
	if (c->key)
		return xt_usage(p->d, "cannot use -%c with -%c", key, c->key);
	c->key = key;
	c->chain = value;
	return read_command_rest(p);
}

static int read_setting(struct parser *p, char key, const char *value)
{
	struct command *c = p->c;

	if (p->bang)
		return xt_usage(p->d, "cannot have ! before %s", p->t.text);
	switch (key) {
	case 't':
		if (c->in_restore)
			return xt_usage(p->d, "the -t option cannot be used in iptables-restore");
		c->table = value;
		break;
	case 'v':
		c->format.verbose = true;
		break;
	case 'n':
		c->format.numeric = true;
		break;
	case 'x':
		c->format.exact = true;
		break;
	case KEY_LINE_NUMBERS:
		c->format.line_numbers = true;
		break;
	case '4':
	case '6':
		c->other_family = key - '0' != c->version;
		break;
	case 'c':
		return read_counters(p, value);
	case 'w':
		break;
	default:
		return read_command(p, key, value);
	}
	return 0;
}

/* What rows leave to their parser: which options take a `!', and that none comes twice. */
static int check_option(struct parser *p, const struct found *f, const char *who, uint64_t *seen,
			const char *inverts)
{
	if (p->bang && !strchr(inverts, f->option->key))
		return xt_usage(p->d, "%s: option `--%s' cannot be inverted", who, f->option->name);
	if (*seen & OPTION_SEEN(f->option->key))
		return xt_usage(p->d, "%s: option `--%s' can only be used once", who,
				f->option->name);
	*seen |= OPTION_SEEN(f->option->key);
	return 0;
}

static int read_ext(struct parser *p, const struct found *f, const char *value)
{
	struct xt_rule *x = &p->c->rule;
	const struct target_row *target = target_row(x->target.kind);
	const struct match_row *match = f->match ? match_row(f->match->kind) : NULL;
	int r = 0;

	if (match) {
		if (match->inverts)
			r = check_option(p, f, match->name, &f->match->seen, match->inverts);
		return r ? r : match->read(f->match, f->option->key, value, p->bang, x, p->d);
	}
	if (p->bang)
		return xt_usage(p->d, "cannot have ! before %s", p->t.text);
	if (target->once)
		r = check_option(p, f, target->name, &x->target.seen, "");
	return r ? r : target->read(&x->target, f->option->key, value, x, p->d);
}

/* An option whose value is two words. */
static int read_two(struct parser *p, const struct found *f)
{
	const char *first = args_value(&p->args, &p->t), *second = NULL;
	_cleanup_(strbuf_deinit) struct strbuf joined = {};

	if (first && p->args.at < p->args.argc && *p->args.argv[p->args.at] != '-')
		second = p->args.argv[p->args.at++];
	if (!second)
		return xt_usage(p->d, "%s requires two args.", p->t.text);
	if (strchr(first, ' '))
		return xt_usage(p->d, "bad value for option `%s'", p->t.text);
	strbuf_printf(&joined, "%s %s", first, second);
	return joined.failed ? -ENOMEM : read_ext(p, f, joined.s);
}

static int read_option(struct parser *p)
{
	const char *value = NULL;
	struct found f;
	int r = find_option(p, &f);

	if (r)
		return r;
	if (f.option->arg == ARG_TWO)
		return read_two(p, &f);
	if (f.option->arg == ARG_REQUIRED)
		value = args_value(&p->args, &p->t);
	else if (f.option->arg == ARG_OPTIONAL)
		value = args_optional(&p->args, &p->t);
	else if (p->t.kind == ARG_LONG && p->t.value)
		return xt_usage(p->d, "option `%s' takes no argument", p->t.text);
	if (f.option->arg == ARG_REQUIRED && !value)
		return xt_usage(p->d, "option `%s' requires an argument", p->t.text);
	if (f.match || f.of_target)
		return read_ext(p, &f, value);
	if (strchr("sdpiojgmf", f.option->key))
		return read_rule_option(p, f.option->key, value);
	return read_setting(p, f.option->key, value);
}

static int check_exts(const struct xt_rule *x, struct diag *d)
{
	const struct target_row *target = target_row(x->target.kind);
	int r;

	for (size_t i = 0; i < x->n_matches; i++) {
		const struct match_row *row = match_row(x->matches[i].kind);

		if (row->proto && (row->proto != x->proto || x->proto_invert))
			return xt_usage(d, "match `%s' requires `-p %s'", row->name,
					row->proto == IPPROTO_ICMPV6 ? "icmpv6" : row->name);
		if (row->required && !x->matches[i].given)
			return xt_usage(d, "%s: option `--%s' must be specified", row->name,
					row->required);
		r = row->check ? row->check(&x->matches[i], x, d) : 0;
		if (r)
			return r;
	}
	if (target->check) {
		r = target->check(&x->target, x, d);
		if (r)
			return r;
	}
	if (target->required && !x->target.given)
		return xt_usage(d, "%s: option `--%s' must be specified", target->name,
				target->required);
	if (x->target.kind == XT_REJECT && x->target.reject == GW_REJECT_TCP_RESET &&
	    (x->proto != IPPROTO_TCP || x->proto_invert))
		return xt_usage(d, "`--reject-with tcp-reset' needs `-p tcp'");
	return 0;
}

/* Options that mean nothing for this command are mistakes, as iptables has it. */
static int check_command(const struct command *c, struct diag *d)
{
	bool takes_rule = c->key && (strchr("ACIR", c->key) || (c->key == 'D' && !c->number));

	if (!c->key)
		return xt_usage(d, "no command specified");
	if (c->other_family && !c->in_restore)
		return xt_usage(d, "`-%d' asks for the other family: use ip%stables",
				c->version == 4 ? 6 : 4, c->version == 4 ? "6" : "");
	if (c->has_spec && !takes_rule)
		return xt_usage(d, "option `%s' cannot be used with -%c", c->spec_option, c->key);
	if (c->rule.counters && !strchr("AIRP", c->key))
		return xt_usage(d, "option `-c' cannot be used with -%c", c->key);
	if ((c->format.numeric || c->format.exact || c->format.line_numbers) && c->key != 'L')
		return xt_usage(d, "option `%s' cannot be used with -%c",
				c->format.numeric ? "-n"
				: c->format.exact ? "-x"
						  : "--line-numbers",
				c->key);
	return check_exts(&c->rule, d);
}

static int parse_all(struct parser *p)
{
	int r = 0;

	while (!r) {
		args_next(&p->args, &p->t);
		if (p->t.kind == ARG_END)
			break;
		if (p->t.kind == ARG_WORD)
			return xt_usage(p->d, "bad argument `%.64s'", p->t.word);
		if (p->t.kind == ARG_BANG) {
			if (p->bang)
				return xt_usage(p->d, "multiple consecutive ! not allowed");
			p->bang = true;
			continue;
		}
		if (p->t.kind == ARG_SHORT && strchr("hV", p->t.key)) {
			p->c->key = p->t.key;
			return 0;
		}
		r = read_option(p);
		p->bang = false;
	}
	if (!r && p->bang)
		r = xt_usage(p->d, "nothing appropriate following !");
	if (!r)
		merge_ports(&p->c->rule);
	return r;
}

int command_parse(struct command *c, int argc, char **argv, struct diag *d)
{
	struct parser p = { .c = c, .args = { .argc = argc, .argv = argv }, .d = d };
	int r;

	c->rule.version = c->version;
	if (!c->table)
		c->table = "filter";
	r = parse_all(&p);
	if (r || (c->key && strchr("hV", c->key)))
		return r;
	return check_command(c, d);
}

/* The n-th word of a comma list. */
static bool list_word(const char *list, size_t n, const char **ret, size_t *ret_len)
{
	for (;; n--) {
		size_t len = strcspn(list, ",");

		if (!n) {
			*ret = list;
			*ret_len = len;
			return true;
		}
		if (!list[len])
			return false;
		list += len + 1;
	}
}

static size_t list_words(const char *list)
{
	size_t n = 1;

	for (const char *s = list; s && *s; s++)
		n += *s == ',';
	return n;
}

static int fill_addr(const char *list, size_t n, int version, struct xt_addr *a, struct diag *d)
{
	bool invert = a->invert;
	const char *word;
	size_t len;

	if (!list || !list_word(list, n, &word, &len))
		return 0;
	if (!addr_parse(word, len, version, a, d))
		return IPTABLES_E_USAGE;
	a->invert = invert;
	if (invert && !a->plen)
		return xt_refuse(d, "`! %.40s' never matches", word);
	return 0;
}

int command_addresses(struct command *c, size_t n, bool *ret_more, struct diag *d)
{
	size_t dsts = list_words(c->destinations), all = list_words(c->sources) * dsts;
	int r;

	if (all > ADDRESSES_MAX)
		return xt_refuse(d, "the address lists make more than %d rules", ADDRESSES_MAX);
	r = fill_addr(c->sources, n / dsts, c->version, &c->rule.src, d);
	if (!r)
		r = fill_addr(c->destinations, n % dsts, c->version, &c->rule.dst, d);
	*ret_more = n + 1 < all;
	return r;
}

int xt_parse_spec(const char *text, int version, struct xt_rule *ret, struct diag *d)
{
	_cleanup_(words_deinit) struct words w = {};
	struct command c = { .version = version,
			     .in_restore = true,
			     .rule = { .version = version } };
	struct parser p = { .c = &c, .d = d };
	bool more;
	int r = words_split(text, strlen(text), &w, d);

	if (r)
		return r < 0 ? r : IPTABLES_E_USAGE;
	p.args = (struct args){ .argc = w.n, .argv = w.v };
	r = parse_all(&p);
	if (!r)
		r = check_exts(&c.rule, d);
	if (!r)
		r = command_addresses(&c, 0, &more, d);
	if (!r)
		*ret = c.rule;
	return r;
}
