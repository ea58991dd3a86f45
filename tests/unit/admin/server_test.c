/* SPDX-License-Identifier: Apache-2.0 */
#include "ut.h"
#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>
#include "admin/server.h"
#include "admin_events.h"
#include "base/mem.h"

struct rig {
	struct loop *loop;
	struct admin_server *server;
	char path[100];
	struct admin_call *held;
	unsigned gone;
};

static void echo(struct admin_call *call, const json_t *args, void *arg)
{
	(void)arg;
	admin_call_ok(call, json_deep_copy(args));
}

static void gone_h(struct admin_call *call, void *arg)
{
	(void)call;
	((struct rig *)arg)->gone++;
}

static void hold(struct admin_call *call, const json_t *args, void *arg)
{
	struct rig *r = arg;
	(void)args;
	r->held = mem_ref(call);
	admin_call_gone(call, gone_h, r);
	admin_call_more(call, json_pack("{s:i}", "n", 1));
}

static void fails(struct admin_call *call, const json_t *args, void *arg)
{
	const char *name;
	struct ev_report why = { 0 };
	(void)arg;
	int err = admin_need_str(args, "name", &name, &why);
	admin_call_errno(call, err ? err : EIO, &why);
}

static const struct admin_cmd table[] = { { "echo", echo }, { "hold", hold }, { "fail", fails }, { NULL, NULL } };

static void begin(struct rig *r)
{
	memset(r, 0, sizeof *r);
	text_print(r->path, sizeof r->path, "%s/s", ut_tmpdir());
	assert_int_equal(loop_create(&r->loop, clock_system()), 0);
	struct admin_server_prm prm = { .loop = r->loop, .path = r->path, .max_connections = 2 };
	assert_int_equal(admin_server_create(&r->server, &prm, NULL), 0);
	assert_int_equal(admin_server_add(r->server, table, r), 0);
}

static void end(struct rig *r)
{
	admin_server_destroy(r->server);
	loop_destroy(r->loop);
	assert_int_not_equal(access(r->path, F_OK), 0);
}

static int dial(const struct rig *r)
{
	struct sockaddr_un sun = { .sun_family = AF_UNIX };
	memcpy(sun.sun_path, r->path, sizeof r->path);
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	assert_int_equal(connect(fd, (struct sockaddr *)&sun, sizeof sun), 0);
	return fd;
}

static void say(int fd, const char *s)
{
	assert_int_equal(send(fd, s, strlen(s), MSG_NOSIGNAL), (long)strlen(s));
}

/* What the server answered after some turns of its loop. */
static const char *heard(struct rig *r, int fd)
{
	static char text[65536];
	size_t n = 0;
	for (unsigned i = 0; i < 8; i++) {
		loop_step(r->loop, 5);
		ssize_t got = recv(fd, text + n, sizeof text - n - 1, MSG_DONTWAIT);
		n += got > 0 ? (size_t)got : 0;
	}
	text[n] = '\0';
	return text;
}

static void requests_are_answered_in_order(void **state)
{
	(void)state;
	struct rig r;
	begin(&r);
	int fd = dial(&r);
	say(fd, "{\"schema\":1,\"cmd\":\"echo\",\"args\":{\"n\":1}}\n{\"schema\":1,\"cmd\":\"echo\",\"args\":{\"n\":2}}\n{\"schema\":1,\"cmd\":\"nothing\"}\n");
	const char *s = heard(&r, fd);
	assert_non_null(strstr(s, "{\"schema\":1,\"ok\":true,\"result\":{\"n\":1}}\n{\"schema\":1,\"ok\":true,\"result\":{\"n\":2}}\n"));
	assert_non_null(strstr(s, "ADMIN_COMMAND_UNKNOWN"));
	close(fd);
	heard(&r, fd);
	end(&r);
}

static void request_may_come_in_pieces(void **state)
{
	(void)state;
	struct rig r;
	begin(&r);
	int fd = dial(&r);
	say(fd, "{\"schema\":1,\"cmd\":");
	assert_string_equal(heard(&r, fd), "");
	say(fd, "\"echo\"}\n");
	assert_non_null(strstr(heard(&r, fd), "\"ok\":true"));
	close(fd);
	end(&r);
}

static void failure_carries_its_report(void **state)
{
	(void)state;
	struct rig r;
	begin(&r);
	int fd = dial(&r);
	say(fd, "{\"schema\":1,\"cmd\":\"fail\"}\n{\"schema\":1,\"cmd\":\"fail\",\"args\":{\"name\":\"x\"}}\nnot json\n");
	const char *s = heard(&r, fd);
	assert_non_null(strstr(s, "ADMIN_ARGUMENT_MISSING"));
	assert_non_null(strstr(s, "Input/output error"));
	assert_non_null(strstr(s, "ADMIN_REQUEST_BAD"));
	close(fd);
	end(&r);
}

static void later_answer_holds_back_the_next_request(void **state)
{
	(void)state;
	struct rig r;
	begin(&r);
	int fd = dial(&r);
	say(fd, "{\"schema\":1,\"cmd\":\"hold\"}\n{\"schema\":1,\"cmd\":\"echo\",\"args\":{\"n\":7}}\n");
	const char *s = heard(&r, fd);
	assert_non_null(strstr(s, "\"more\":true"));
	assert_null(strstr(s, "\"n\":7"));
	admin_call_ok(r.held, json_object());
	s = heard(&r, fd);
	assert_non_null(strstr(s, "\"result\":{}}\n"));
	assert_non_null(strstr(s, "\"n\":7"));
	assert_int_equal(r.gone, 0);
	mem_unref(r.held);
	close(fd);
	end(&r);
}

static void caller_who_left_does_no_harm(void **state)
{
	(void)state;
	struct rig r;
	begin(&r);
	int fd = dial(&r);
	say(fd, "{\"schema\":1,\"cmd\":\"hold\"}\n");
	heard(&r, fd);
	close(fd);
	loop_step(r.loop, 20);
	assert_int_equal(r.gone, 1);
	admin_call_more(r.held, json_object());
	admin_call_ok(r.held, json_object());
	mem_unref(r.held);
	end(&r);
}

static void connections_are_bounded(void **state)
{
	(void)state;
	struct rig r;
	begin(&r);
	int a = dial(&r), b = dial(&r);
	heard(&r, a);
	int c = dial(&r);
	heard(&r, c);
	char byte;
	assert_int_equal(recv(c, &byte, 1, MSG_DONTWAIT), 0); /* closed */
	close(a);
	close(b);
	close(c);
	end(&r);
}

static void dead_socket_is_replaced_and_a_live_one_is_not(void **state)
{
	(void)state;
	struct rig r;
	struct admin_server *second = NULL;
	struct ev_report why = { 0 };
	begin(&r);
	struct admin_server_prm prm = { .loop = r.loop, .path = r.path };
	assert_int_equal(admin_server_create(&second, &prm, &why), EADDRINUSE);
	assert_int_equal(why.id, EV_ADMIN_SOCKET_FAILED);
	struct stat st;
	assert_int_equal(stat(r.path, &st), 0);
	assert_int_equal(st.st_mode & 0777, 0700);
	end(&r);
	/* a leftover of a killed process */
	struct sockaddr_un sun = { .sun_family = AF_UNIX };
	memcpy(sun.sun_path, r.path, sizeof r.path);
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	assert_int_equal(bind(fd, (struct sockaddr *)&sun, sizeof sun), 0);
	close(fd);
	assert_int_equal(loop_create(&r.loop, clock_system()), 0);
	prm.loop = r.loop;
	assert_int_equal(admin_server_create(&r.server, &prm, NULL), 0);
	end(&r);
}

UT_MAIN(UT(requests_are_answered_in_order), UT(request_may_come_in_pieces), UT(failure_carries_its_report), UT(later_answer_holds_back_the_next_request),
        UT(caller_who_left_does_no_harm), UT(connections_are_bounded), UT(dead_socket_is_replaced_and_a_live_one_is_not))
