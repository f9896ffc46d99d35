/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Matches that remember something: limit, hashlimit, recent, statistic.
 */
#include <iptables/ext.h>

#include <strings.h>

/* How fine netfilter keeps the time between two packets: parts of a second. */
#define LIMIT_SCALE	10000ULL
#define HASHLIMIT_SCALE 1000000ULL
/* Of hashlimit's table, in ms. */
#define GC_DEFAULT_MS 1000

static const struct {
	const char *name, *word;
	uint32_t seconds;
} units[] = {
	{ "day", "day", 86400 },
	{ "hour", "hour", 3600 },
	{ "min", "minute", 60 },
	{ "sec", "second", 1 },
};

/*
 * What iptables keeps is the time between two packets, and it prints the largest unit that tells that without loss;
 * "120/min" comes back as "2/sec".
 */
static void rate_canonical(uint64_t scale, struct xt_rate *rate)
{
	uint64_t period = scale * rate->unit_s / rate->rate;
	size_t i;

	for (i = 1; i < ARRAY_SIZE(units); i++) {
		uint64_t whole = scale * units[i].seconds;

		if (period > whole || whole / period < whole % period)
			break;
	}
	rate->unit_s = units[i - 1].seconds;
	rate->rate = (uint32_t)(scale * rate->unit_s / period);
}

bool xt_limit_is_canonical(const struct xt_rate *rate)
{
	struct xt_rate canonical = *rate;

	if (!rate->rate || rate->rate > LIMIT_SCALE * rate->unit_s || rate->unit_s > 86400)
		return false;
	rate_canonical(LIMIT_SCALE, &canonical);
	return canonical.rate == rate->rate && canonical.unit_s == rate->unit_s;
}

/* "5", "5/s", "5/minute" */
static int read_rate(const char *value, uint64_t scale, struct xt_rate *rate, struct diag *d)
{
	const char *slash = strchr(value, '/');
	uint32_t unit = 1;
	char word[16];
	uint64_t n;

	snprintf(word, sizeof(word), "%.*s", slash ? (int)MIN(slash - value, 15) : 15, value);
	if (slash) {
		size_t len = strlen(slash + 1);

		unit = 0;
		for (size_t i = 0; len && i < ARRAY_SIZE(units); i++)
			if (!strncasecmp(slash + 1, units[i].word, len))
				unit = units[i].seconds;
	}
	if (!unit || !str_to_u64(word, 1, UINT32_MAX, &n))
		return xt_usage(d, "bad rate \"%.32s\"'", value);
	if (n / unit > scale)
		return xt_usage(d, "Rate too fast \"%.32s\"", value);
	rate->unit_s = rate->typed_s = unit;
	rate->rate = (uint32_t)n;
	if (!(scale * unit / n))
		return xt_usage(d, "Rate too fast \"%.32s\"", value);
	rate_canonical(scale, rate);
	return 0;
}

static void rate_print(const struct xt_rate *rate, struct strbuf *b)
{
	const char *name = "";

	for (size_t i = 0; i < ARRAY_SIZE(units); i++)
		if (units[i].seconds == rate->unit_s)
			name = units[i].name;
	strbuf_printf(b, "%u/%s", rate->rate, name);
}

static int read_limit(struct xt_match *m, char key, const char *value, bool invert,
		      const struct xt_rule *x, struct diag *d)
{
	if (key == 'l')
		return read_rate(value, LIMIT_SCALE, &m->rate, d);
	return read_option_number("limit", "limit-burst", value, 0, 10000, &m->rate.burst, d);
}

/* What was not given has netfilter's defaults. */
struct xt_rate xt_limit_of(const struct xt_match *m)
{
	struct xt_rate rate = m->rate;

	if (!rate.rate) {
		rate.rate = 3;
		rate.unit_s = 3600;
	}
	if (!rate.burst)
		rate.burst = XT_BURST_DEFAULT;
	return rate;
}

static void save_limit(const struct xt_match *m, const struct xt_rule *x, struct strbuf *b)
{
	struct xt_rate rate = xt_limit_of(m);

	strbuf_puts(b, " --limit ");
	rate_print(&rate, b);
	if (rate.burst != XT_BURST_DEFAULT)
		strbuf_printf(b, " --limit-burst %u", rate.burst);
}

static void list_limit(const struct xt_match *m, const struct xt_rule *x, bool numeric,
		       struct strbuf *b)
{
	struct xt_rate rate = xt_limit_of(m);

	strbuf_puts(b, " limit: avg ");
	rate_print(&rate, b);
	strbuf_printf(b, " burst %u", rate.burst);
}

static const struct {
	const char *name;
	uint8_t bit;
} modes[] = {
	{ "srcip", XT_MODE_SRCIP },
	{ "srcport", XT_MODE_SRCPORT },
	{ "dstip", XT_MODE_DSTIP },
	{ "dstport", XT_MODE_DSTPORT },
};

static int read_modes(const char *s, uint8_t *ret, struct diag *d)
{
	for (;;) {
		size_t n = strcspn(s, ","), i;

		for (i = 0; i < ARRAY_SIZE(modes); i++)
			if (n == strlen(modes[i].name) && !strncmp(s, modes[i].name, n))
				break;
		if (i == ARRAY_SIZE(modes))
			return xt_usage(d,
					"hashlimit: bad value for option `--hashlimit-mode': "
					"`%.*s'",
					(int)MIN(n, 32U), s);
		*ret |= modes[i].bit;
		if (!s[n])
			return 0;
		s += n + 1;
	}
}

static int read_name(const char *who, const char *option, const char *value, char *ret,
		     struct diag *d)
{
	if (!*value)
		return xt_usage(d, "%s: option `--%s' needs a name", who, option);
	for (const char *c = value; *c; c++)
		if (*c <= ' ' || *c >= 127 || strchr("\"\\/", *c))
			return xt_usage(d, "%s: bad character in the name `%.64s'", who, value);
	if (strlen(value) >= XT_NAME_MAX)
		return xt_refuse(d, "%s: the name `%.64s' is longer than %d characters", who, value,
				 XT_NAME_MAX - 1);
	snprintf(ret, XT_NAME_MAX, "%s", value);
	return 0;
}

/* Masks other than whole addresses would need keys that the sets do not have. */
static int read_mask(const char *option, const char *value, int version, struct diag *d)
{
	uint32_t whole = version == 6 ? 128 : 32, n = 0;
	int r = read_option_number("hashlimit", option, value, 0, whole, &n, d);

	if (!r && n != whole)
		return xt_refuse(d, "`--%s %u' is not supported, only %u: whole addresses", option,
				 n, whole);
	return r;
}

/* An element is forgotten after one unit of the rate as it was typed. */
static int read_hashrate(struct xt_match *m, const char *value, struct diag *d)
{
	size_t digits = strspn(value, "0123456789");
	struct xt_rate typed = {};
	int r;

	if (digits && value[digits] && strchr("kKmMbB", value[digits]))
		return xt_refuse(d, "hashlimit: rates of bytes (`%.32s') are not supported", value);
	r = read_rate(value, HASHLIMIT_SCALE, &typed, d);
	if (r)
		return r;
	m->rate.rate = typed.rate;
	m->rate.unit_s = typed.unit_s;
	if (!(m->seen & OPTION_SEEN('e')))
		m->rate.expire_ms = typed.typed_s * 1000;
	return 0;
}

static int read_hashlimit(struct xt_match *m, char key, const char *value, bool invert,
			  const struct xt_rule *x, struct diag *d)
{
	struct xt_rate *rate = &m->rate;

	switch (key) {
	case 'u':
	case 'a':
		if (m->given)
			return xt_usage(d, "hashlimit: option `--hashlimit-above' cannot be used "
					   "together with `--hashlimit-upto'");
		m->given = true;
		rate->above = (key == 'a') != invert;
		return read_hashrate(m, value, d);
	case 'b':
		return read_option_number("hashlimit", "hashlimit-burst", value, 1, 1000000,
					  &rate->burst, d);
	case 'm':
		return read_modes(value, &rate->modes, d);
	case 'n':
		return read_name("hashlimit", "hashlimit-name", value, rate->name, d);
	case 's':
		return read_option_number("hashlimit", "hashlimit-htable-size", value, 0,
					  UINT32_MAX, &rate->size, d);
	case 'x':
		return read_option_number("hashlimit", "hashlimit-htable-max", value, 0, UINT32_MAX,
					  &rate->max, d);
	case 'g':
		return read_option_number("hashlimit", "hashlimit-htable-gcinterval", value, 0,
					  UINT32_MAX, &rate->gc_ms, d);
	case 'e':
		return read_option_number("hashlimit", "hashlimit-htable-expire", value, 0,
					  UINT32_MAX, &rate->expire_ms, d);
	case 'S':
		return read_mask("hashlimit-srcmask", value, x->version, d);
	case 'D':
		return read_mask("hashlimit-dstmask", value, x->version, d);
	default:
		return xt_refuse(d, "option `--hashlimit-rate-%s' is not supported",
				 key == 'R' ? "match" : "interval");
	}
}

static int check_hashlimit(const struct xt_match *m, const struct xt_rule *x, struct diag *d)
{
	if (!m->given)
		return xt_usage(d, "You have to specify --hashlimit");
	if (!*m->rate.name)
		return xt_usage(d, "hashlimit: option `--hashlimit-name' must be specified");
	if (!m->rate.modes)
		return xt_refuse(d, "hashlimit without `--hashlimit-mode' is not supported: use -m "
				    "limit");
	if (m->rate.modes & (XT_MODE_SRCPORT | XT_MODE_DSTPORT) && !proto_has_ports(x))
		return xt_refuse(d,
				 "`--hashlimit-mode' with ports needs a protocol that has ports, "
				 "like `-p tcp'");
	return 0;
}

static void modes_print(uint8_t mask, const char *sep, struct strbuf *b)
{
	bool first = true;

	for (size_t i = 0; i < ARRAY_SIZE(modes); i++) {
		if (!(mask & modes[i].bit))
			continue;
		strbuf_printf(b, "%s%s", first ? "" : sep, modes[i].name);
		first = false;
	}
}

static void table_print(const struct xt_match *m, const char *dashes, struct strbuf *b)
{
	const struct xt_rate *rate = &m->rate;

	if (rate->size)
		strbuf_printf(b, " %shtable-size %u", dashes, rate->size);
	if (rate->max)
		strbuf_printf(b, " %shtable-max %u", dashes, rate->max);
	if (m->seen & OPTION_SEEN('g') && rate->gc_ms != GC_DEFAULT_MS)
		strbuf_printf(b, " %shtable-gcinterval %u", dashes, rate->gc_ms);
	if (rate->expire_ms != rate->unit_s * 1000)
		strbuf_printf(b, " %shtable-expire %u", dashes, rate->expire_ms);
}

static void save_hashlimit(const struct xt_match *m, const struct xt_rule *x, struct strbuf *b)
{
	strbuf_printf(b, " --hashlimit-%s ", m->rate.above ? "above" : "upto");
	rate_print(&m->rate, b);
	strbuf_printf(b, " --hashlimit-burst %u --hashlimit-mode ", xt_limit_of(m).burst);
	modes_print(m->rate.modes, ",", b);
	strbuf_printf(b, " --hashlimit-name %s", m->rate.name);
	table_print(m, "--hashlimit-", b);
}

static void list_hashlimit(const struct xt_match *m, const struct xt_rule *x, bool numeric,
			   struct strbuf *b)
{
	strbuf_printf(b, " limit: %s ", m->rate.above ? "above" : "up to");
	rate_print(&m->rate, b);
	strbuf_printf(b, " burst %u mode ", xt_limit_of(m).burst);
	modes_print(m->rate.modes, "-", b);
	table_print(m, "", b);
}

static int read_recent_mask(const char *value, int version, struct diag *d)
{
	static const char *const whole[] = { "255.255.255.255",
					     "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff" };

	if (strcasecmp(value, whole[version == 6]))
		return xt_refuse(
			d, "recent: `--mask %.64s' is not supported, only %s: whole addresses",
			value, whole[version == 6]);
	return 0;
}

static int read_recent(struct xt_match *m, char key, const char *value, bool invert,
		       const struct xt_rule *x, struct diag *d)
{
	struct xt_recent *rec = &m->recent;

	switch (key) {
	case 's':
	case 'c':
	case 'u':
	case 'r':
		if (rec->what)
			return xt_usage(d, "recent: you must specify one of `--set', `--rcheck' "
					   "`--update' or `--remove'");
		rec->what = key;
		m->given = true;
		m->invert = invert;
		return 0;
	case 'S':
		return read_option_number("recent", "seconds", value, 1, UINT32_MAX, &rec->seconds,
					  d);
	case 'H':
		return read_option_number("recent", "hitcount", value, 1, UINT8_MAX, &rec->hits, d);
	case 't':
		return xt_refuse(d, "recent: option `--rttl' is not supported");
	case 'p':
		rec->reap = true;
		return 0;
	case 'n':
		return read_name("recent", "name", value, rec->name, d);
	case 'm':
		return read_recent_mask(value, x->version, d);
	default:
		rec->dest = key == 'd';
		return 0;
	}
}

static int check_recent(const struct xt_match *m, const struct xt_rule *x, struct diag *d)
{
	const struct xt_recent *rec = &m->recent;

	if (!rec->what)
		return xt_usage(d, "recent: you must specify one of `--set', `--rcheck' `--update' "
				   "or `--remove'");
	if ((rec->seconds || rec->hits) && !strchr("cu", rec->what))
		return xt_usage(d, "recent: option `--%s' needs `--rcheck' or `--update'",
				rec->seconds ? "seconds" : "hitcount");
	if (rec->reap && !rec->seconds)
		return xt_usage(d, "recent: option `--reap' also requires `--seconds'");
	if (rec->hits > 1)
		return xt_refuse(d,
				 "recent: `--hitcount %u' is not supported, only 1: hits are not "
				 "counted (-m hashlimit limits rates)",
				 rec->hits);
	if (m->invert && rec->what != 'c')
		return xt_refuse(d, "recent: `!' is supported before `--rcheck' only");
	return 0;
}

const char *xt_recent_name(const struct xt_match *m)
{
	return *m->recent.name ? m->recent.name : "DEFAULT";
}

static const char *recent_mask(int version)
{
	return version == 6 ? "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff" : "255.255.255.255";
}

static void save_recent(const struct xt_match *m, const struct xt_rule *x, struct strbuf *b)
{
	const struct xt_recent *rec = &m->recent;
	const char *what = rec->what == 's'   ? "set"
			   : rec->what == 'c' ? "rcheck"
			   : rec->what == 'u' ? "update"
					      : "remove";

	strbuf_printf(b, "%s --%s", m->invert ? " !" : "", what);
	if (rec->seconds)
		strbuf_printf(b, " --seconds %u", rec->seconds);
	if (rec->reap)
		strbuf_puts(b, " --reap");
	if (rec->hits)
		strbuf_printf(b, " --hitcount %u", rec->hits);
	strbuf_printf(b, " --name %s --mask %s --r%s", xt_recent_name(m), recent_mask(x->version),
		      rec->dest ? "dest" : "source");
}

static void list_recent(const struct xt_match *m, const struct xt_rule *x, bool numeric,
			struct strbuf *b)
{
	const struct xt_recent *rec = &m->recent;
	const char *what = rec->what == 's'   ? "SET"
			   : rec->what == 'c' ? "CHECK"
			   : rec->what == 'u' ? "UPDATE"
					      : "REMOVE";

	strbuf_printf(b, "%s recent: %s", m->invert ? " !" : "", what);
	if (rec->seconds)
		strbuf_printf(b, " seconds: %u", rec->seconds);
	if (rec->reap)
		strbuf_puts(b, " reap");
	if (rec->hits)
		strbuf_printf(b, " hit_count: %u", rec->hits);
	strbuf_printf(b, " name: %s side: %s mask: %s", xt_recent_name(m),
		      rec->dest ? "dest" : "source", recent_mask(x->version));
}

static int read_probability(struct xt_match *m, const char *value, struct diag *d)
{
	char *end = NULL;
	double p = strtod(value, &end);

	if (!*value || *end || !(p >= 0) || p > 1)
		return xt_usage(d, "statistic: bad value for option `--probability', or out of "
				   "range (0.0-1.0)");
	m->stat.probability = (uint32_t)(p * 0x80000000U + 0.5);
	return 0;
}

static int read_statistic(struct xt_match *m, char key, const char *value, bool invert,
			  const struct xt_rule *x, struct diag *d)
{
	switch (key) {
	case 'm':
		if (!strcmp(value, "random"))
			m->stat.mode = 'r';
		else if (!strcmp(value, "nth"))
			m->stat.mode = 'n';
		else
			return xt_usage(d, "Bad mode `%.32s'", value);
		m->given = true;
		return 0;
	case 'p':
		m->invert = invert;
		return read_probability(m, value, d);
	case 'e':
		m->invert = invert;
		return read_option_number("statistic", "every", value, 1, UINT32_MAX,
					  &m->stat.every, d);
	default:
		return read_option_number("statistic", "packet", value, 0, UINT32_MAX,
					  &m->stat.packet, d);
	}
}

static int check_statistic(const struct xt_match *m, const struct xt_rule *x, struct diag *d)
{
	bool p = m->seen & OPTION_SEEN('p'), every = m->seen & OPTION_SEEN('e');
	bool packet = m->seen & OPTION_SEEN('k');

	if (!m->given)
		return xt_usage(d, "statistic: option `--mode' must be specified");
	if (m->stat.mode == 'r' && (!p || every || packet))
		return xt_usage(d, "statistic: `--mode random' goes with `--probability' alone");
	if (m->stat.mode == 'n' && (p || !every || !packet))
		return xt_usage(d, "statistic: `--mode nth' goes with `--every' and `--packet'");
	if (m->stat.mode == 'n' && m->stat.packet >= m->stat.every)
		return xt_usage(d, "the --packet p must be 0 <= p <= n-1");
	if (m->stat.mode == 'r' && m->invert == (m->stat.probability == 0x80000000U) &&
	    (m->stat.probability == 0 || m->stat.probability == 0x80000000U))
		return xt_refuse(d, "`%s--probability %u' never matches", m->invert ? "! " : "",
				 m->invert);
	return 0;
}

static void statistic_print(const struct xt_match *m, const char *dashes, struct strbuf *b)
{
	const char *bang = m->invert ? " !" : "";

	if (m->stat.mode == 'r')
		strbuf_printf(b, " %smode random%s %sprobability %.11f", dashes, bang, dashes,
			      1.0 * m->stat.probability / 0x80000000U);
	else
		strbuf_printf(b, " %smode nth%s %severy %u", dashes, bang, dashes, m->stat.every);
}

static void save_statistic(const struct xt_match *m, const struct xt_rule *x, struct strbuf *b)
{
	statistic_print(m, "--", b);
	if (m->stat.mode == 'n')
		strbuf_printf(b, " --packet %u", m->stat.packet);
}

static void list_statistic(const struct xt_match *m, const struct xt_rule *x, bool numeric,
			   struct strbuf *b)
{
	strbuf_puts(b, " statistic");
	statistic_print(m, "", b);
	if (m->stat.mode == 'n' && m->stat.packet)
		strbuf_printf(b, " packet %u", m->stat.packet);
}

static const struct arg_option limit_options[] = { { "limit", 'l', ARG_REQUIRED },
						   { "limit-burst", 'b', ARG_REQUIRED },
						   {} };
static const struct arg_option hashlimit_options[] = {
	{ "hashlimit-upto", 'u', ARG_REQUIRED },
	{ "hashlimit", 'u', ARG_REQUIRED },
	{ "hashlimit-above", 'a', ARG_REQUIRED },
	{ "hashlimit-burst", 'b', ARG_REQUIRED },
	{ "hashlimit-mode", 'm', ARG_REQUIRED },
	{ "hashlimit-name", 'n', ARG_REQUIRED },
	{ "hashlimit-htable-size", 's', ARG_REQUIRED },
	{ "hashlimit-htable-max", 'x', ARG_REQUIRED },
	{ "hashlimit-htable-gcinterval", 'g', ARG_REQUIRED },
	{ "hashlimit-htable-expire", 'e', ARG_REQUIRED },
	{ "hashlimit-srcmask", 'S', ARG_REQUIRED },
	{ "hashlimit-dstmask", 'D', ARG_REQUIRED },
	{ "hashlimit-rate-match", 'R', ARG_NONE },
	{ "hashlimit-rate-interval", 'I', ARG_REQUIRED },
	{},
};
static const struct arg_option recent_options[] = {
	{ "set", 's', ARG_NONE },
	{ "rcheck", 'c', ARG_NONE },
	{ "update", 'u', ARG_NONE },
	{ "remove", 'r', ARG_NONE },
	{ "seconds", 'S', ARG_REQUIRED },
	{ "hitcount", 'H', ARG_REQUIRED },
	{ "rttl", 't', ARG_NONE },
	{ "reap", 'p', ARG_NONE },
	{ "name", 'n', ARG_REQUIRED },
	{ "mask", 'm', ARG_REQUIRED },
	{ "rsource", 'o', ARG_NONE },
	{ "rdest", 'd', ARG_NONE },
	{},
};
static const struct arg_option statistic_options[] = {
	{ "mode", 'm', ARG_REQUIRED },
	{ "probability", 'p', ARG_REQUIRED },
	{ "every", 'e', ARG_REQUIRED },
	{ "packet", 'k', ARG_REQUIRED },
	{},
};

const struct match_row row_limit = {
	.name = "limit",
	.version = 46,
	.options = limit_options,
	.read = read_limit,
	.save = save_limit,
	.list = list_limit,
	.inverts = "",
};
const struct match_row row_hashlimit = {
	.name = "hashlimit",
	.version = 46,
	.options = hashlimit_options,
	.read = read_hashlimit,
	.save = save_hashlimit,
	.list = list_hashlimit,
	.inverts = "ua",
	.check = check_hashlimit,
};
const struct match_row row_recent = {
	.name = "recent",
	.version = 46,
	.options = recent_options,
	.read = read_recent,
	.save = save_recent,
	.list = list_recent,
	.inverts = "scur",
	.check = check_recent,
};
const struct match_row row_statistic = {
	.name = "statistic",
	.version = 46,
	.options = statistic_options,
	.read = read_statistic,
	.save = save_statistic,
	.list = list_statistic,
	.inverts = "pe",
	.check = check_statistic,
};
