/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The target as statements and verdict of the model.
 */
#include <iptables/convert.h>

static const enum verdict verdicts[XT_TARGET_MAX] = {
	[XT_ACCEPT] = VERDICT_ACCEPT, [XT_DROP] = VERDICT_DROP,
	[XT_RETURN] = VERDICT_RETURN, [XT_REJECT] = VERDICT_REJECT,
	[XT_SNAT] = VERDICT_SNAT,     [XT_MASQUERADE] = VERDICT_MASQUERADE,
	[XT_DNAT] = VERDICT_DNAT,     [XT_REDIRECT] = VERDICT_REDIRECT,
	[XT_NETMAP] = VERDICT_DNAT,   [XT_CHAIN] = VERDICT_JUMP,
};

/* NETMAP changes the destination before routing and the source behind it. */
static int netmap_verdict(struct conv *c, struct action *a)
{
	const struct chain *chain = c->place ? c->place->chain : NULL;

	if (chain && !chain->base)
		return xt_refuse(c->d,
				 "NETMAP is supported in built-in chains only: in chain `%s' "
				 "it can not be known which address it means",
				 chain->name);
	if (chain && (chain->hook_nf == 1 || chain->hook_nf == 4))
		a->verdict = VERDICT_SNAT;
	a->nat_prefix = true;
	a->nat_plen = (int)c->x->target.plen;
	return 0;
}

static int conv_action(struct conv *c)
{
	const struct xt_target *t = &c->x->target;
	struct action *a = &c->r->action;

	*a = (struct action){ .verdict = verdicts[t->kind], .nat_plen = -1 };
	a->reject = t->reject;
	a->reject_explicit = t->reject != GW_REJECT_PORT;
	if (t->kind == XT_REJECT && t->reject != GW_REJECT_TCP_RESET)
		a->reject_family = (uint8_t)c->x->version;
	a->nat_flags = t->flags;
	if (t->kind == XT_CHAIN) {
		a->verdict = t->go_to ? VERDICT_GOTO : VERDICT_JUMP;
		snprintf(a->chain, sizeof(a->chain), "%s", t->chain);
	}
	if (t->has_addr) {
		a->has_addr = true;
		a->nat_family = c->x->version;
		memcpy(a->addr_lo, t->addr_lo, sizeof(a->addr_lo));
		memcpy(a->addr_hi, t->addr_hi, sizeof(a->addr_hi));
	}
	if (t->has_port) {
		a->has_port = true;
		a->port_lo = t->port_lo;
		a->port_hi = t->port_hi;
	}
	return t->kind == XT_NETMAP ? netmap_verdict(c, a) : 0;
}

static int conv_ct(struct conv *c)
{
	const struct xt_target *t = &c->x->target;
	struct stmt s = { .kind = STMT_ZONE };
	int r = 0;

	if (t->zone) {
		s.value.value = t->value;
		r = conv_stmt(c, &s);
	}
	if (!r && (t->notrack || t->kind == XT_NOTRACK))
		r = rule_add_word(c->r, STMT_NOTRACK);
	return r;
}

static int conv_log(struct conv *c)
{
	const struct xt_target *t = &c->x->target;
	struct stmt s = { .kind = STMT_LOG };

	s.log.level = s.log.group = -1;
	if (*t->log.prefix) {
		s.log.prefix = strdup(t->log.prefix);
		if (!s.log.prefix)
			return -ENOMEM;
	}
	if (t->kind == XT_NFLOG) {
		s.log.group = (int)t->log.group;
		s.log.snaplen = t->log.size;
		s.log.threshold = t->log.threshold;
	} else {
		s.log.level = t->seen & OPTION_SEEN('l') && t->log.level != 4 ? t->log.level : -1;
		s.log.flags = t->log.flags;
	}
	return conv_stmt(c, &s);
}

/* (old & ~mask) ^ value */
static int conv_mark(struct conv *c, enum stmt_kind kind, const struct xt_target *t)
{
	struct stmt s = { .kind = kind };

	s.mark.mask = ~t->mask;
	s.mark.value = t->value;
	return conv_stmt(c, &s);
}

static int conv_connmark(struct conv *c)
{
	struct xt_target t = xt_connmark_of(&c->x->target);
	struct stmt s = { .kind = t.op == 's' ? STMT_CTMARK : STMT_MARK };

	if (t.op == 'x')
		return conv_mark(c, STMT_CTMARK, &t);
	/* the bits of the one mask go, those of the other turn */
	s.mark.from_other = true;
	s.mark.mask = t.op == 's' ? t.nfmask : t.ctmask;
	s.mark.keep = ~(t.op == 's' ? t.ctmask : t.nfmask);
	if (!s.mark.mask) { /* nothing comes from there */
		s.mark.from_other = false;
		s.mark.mask = s.mark.keep;
		s.mark.keep = 0;
	}
	return conv_stmt(c, &s);
}

static int conv_value(struct conv *c, enum stmt_kind kind)
{
	const struct xt_target *t = &c->x->target;
	struct stmt s = { .kind = kind };

	s.value.family = c->x->version;
	s.value.value = t->value;
	s.value.op = t->op == 'i' ? 1 : t->op == 'd' ? 2 : 0;
	return conv_stmt(c, &s);
}

static int conv_mss(struct conv *c)
{
	const struct xt_target *t = &c->x->target;
	struct stmt s = { .kind = STMT_MSS };

	s.mss.value = t->op == 'c' ? 0 : (uint16_t)t->value;
	s.mss.never_raise = s.mss.value;
	return conv_stmt(c, &s);
}

int conv_target(struct conv *c)
{
	int r = conv_action(c);

	if (r)
		return r;
	switch (c->x->target.kind) {
	case XT_CT:
	case XT_NOTRACK:
		return conv_ct(c);
	case XT_LOG:
	case XT_NFLOG:
		return conv_log(c);
	case XT_TO_MARK:
		return conv_mark(c, STMT_MARK, &c->x->target);
	case XT_TO_CONNMARK:
		return conv_connmark(c);
	case XT_TCPMSS:
		return conv_mss(c);
	case XT_TO_DSCP:
		return conv_value(c, STMT_DSCP);
	case XT_TO_TTL:
	case XT_TO_HL:
		return conv_value(c, STMT_TTL);
	default:
		return 0;
	}
}
