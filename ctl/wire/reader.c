/* SPDX-License-Identifier: GPL-2.0-only */
/* Frames out of a non-blocking stream: whatever read() gave goes in, whole frames come out. */
#include <wire/wire.h>

/* An idle client must not keep the buffer of its largest request. */
#define READER_KEEP 65536

int wire_head_check(const struct wire_head *head, size_t max)
{
	if (head->magic != WIRE_MAGIC || head->type < WIRE_REQUEST || head->type > WIRE_END)
		return -EPROTO;
	return head->len > max ? -EMSGSIZE : 0;
}

int wire_reader_feed(struct wire_reader *r, const void *data, size_t n)
{
	void *buf = r->buf;
	int rc;

	if (!n)
		return 0;
	/* the head's len is only a claim: memory grows with what really came */
	rc = array_reserve(&buf, &r->cap, r->len + n - 1, 1);
	if (rc < 0)
		return rc;
	r->buf = buf;
	memcpy(r->buf + r->len, data, n);
	r->len += n;
	return 0;
}

int wire_reader_next(struct wire_reader *r, size_t max, enum wire_type *ret_type,
		     const char **ret_data, size_t *ret_len)
{
	struct wire_head head;
	int rc;

	if (r->len < sizeof(head))
		return 0;
	memcpy(&head, r->buf, sizeof(head));
	rc = wire_head_check(&head, max);
	if (rc < 0)
		return rc;
	if (r->len - sizeof(head) < head.len)
		return 0;
	*ret_type = head.type;
	*ret_data = r->buf + sizeof(head);
	*ret_len = head.len;
	return 1;
}

void wire_reader_pop(struct wire_reader *r)
{
	struct wire_head head;
	size_t n;

	if (r->len < sizeof(head))
		return;
	memcpy(&head, r->buf, sizeof(head));
	n = MIN(r->len, sizeof(head) + head.len);
	r->len -= n;
	if (r->len)
		memmove(r->buf, r->buf + n, r->len);
	else if (r->cap > READER_KEEP)
		wire_reader_deinit(r);
}

void wire_reader_deinit(struct wire_reader *r)
{
	free(r->buf);
	*r = (struct wire_reader){ 0 };
}
