/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Asks random questions on random sockets with random settings: getsockopt(2),
 * the command of io_uring and the router must have the same answer.
 *
 * usage: fuzz --ring sol_socket|inet|lts|all [--worker] [--seed N] [--cases N]
 *             [--corpus FILE] [--races N]
 *
 * --ring and --worker are as in differential.c.  A plan is a socket, its
 * settings, and questions; each question is a case.  A plan can be written as a
 * line of text.  A corpus has such lines, and a failure prints one:
 *
 *     KIND STATE set=LEVEL:OPTION:HEX ...
 *         get=LEVEL:OPTION:LENGTH:PLACE:MISALIGNED:FILL:HEX:WAY ...
 *
 * If asking changes an answer, the test asks three twins, created and set in
 * the same way: by system call, by the tested way, by system call.
 *
 * The test shrinks a failing plan as long as it still fails, and prints it as a
 * line and as a C program.
 *
 * With --races the test asks that many questions while another thread sets,
 * asks, sends and receives on the same socket.  It then cannot compare answers:
 * each question must get an answer, no byte outside the buffer may change, and
 * a kernel with KASAN, lockdep or KCSAN reports errors.
 */

#include "config.h"

#include <errno.h>
#include <limits.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <netinet/in.h>
#include <netinet/tcp.h>

#include "ask.h"
#include "compare.h"
#include "sockets.h"
#include "tap.h"

#define MAX_OPS 24
#define MAX_DATA 320

struct op {
	bool get;
	int level;
	int optname;
	/* the value to set, or the beginning of the buffer */
	uint8_t data[MAX_DATA];
	size_t size;
	/* of a question */
	int length;
	enum place place;
	unsigned misaligned;
	uint8_t fill;
	enum way way;
};

struct plan {
	struct specimen specimen;
	struct op ops[MAX_OPS];
	size_t num;
};

static unsigned ways;
static uint64_t seed = 1;

/* xorshift64*: the same on all systems, unlike random(3) */
static uint32_t any(uint32_t below)
{
	seed ^= seed >> 12;
	seed ^= seed << 25;
	seed ^= seed >> 27;
	return (uint32_t)((seed * 0x2545f4914f6cdd1dULL) >> 32) % below;
}

static const struct option *option_of(int level, int optname)
{
	static _Thread_local struct option unknown = {
		.level_name = "?",
		.name = "?",
		.access = SET,
		.changing = "",
	};
	size_t i;

	for (i = 0; i < num_options; i++) {
		if (options[i].level == level && options[i].optname == optname)
		{
			return &options[i];
		}
	}
	unknown.level = level;
	unknown.optname = optname;
	return &unknown;
}

/*
 * Making plans
 */

static int any_number(void)
{
	static const int numbers[] = {0,
				      1,
				      2,
				      3,
				      4,
				      8,
				      64,
				      255,
				      256,
				      1460,
				      65535,
				      INT_MAX,
				      INT_MIN,
				      -1};

	if (any(4) == 0) {
		return (int)(any(UINT32_MAX));
	}
	return numbers[any(sizeof(numbers) / sizeof(numbers[0]))];
}

static int any_length(void)
{
	static const int lengths[] = {4,   4,	 4,   8,       12,     16,
				      20,  24,	 32,  40,      64,     104,
				      128, 144,	 232, 256,     288,    512,
				      0,   4096, -1,  INT_MAX, INT_MIN};

	switch (any(8)) {
	case 0:
		return any(9);
	case 1:
		return any(600);
	default:
		return lengths[any(sizeof(lengths) / sizeof(lengths[0]))];
	}
}

/* Choose an option, mostly one that the socket has. */
static const struct option *any_option(struct specimen s)
{
	const struct option *o = NULL;
	int tries;

	for (tries = 0; tries < 200; tries++) {
		size_t i;

		o = &options[any(num_options)];
		for (i = 0; kinds[s.kind].levels[i] != 0; i++) {
			int level = kinds[s.kind].levels[i];

			if ((level == LEVEL_IP ? SOL_IP : level) == o->level) {
				return o;
			}
		}
		if (any(40) == 0) {
			break;
		}
	}
	return o;
}

static void any_data(struct op *op, size_t size)
{
	size_t i;

	op->size = size;
	for (i = 0; i < size; i++) {
		op->data[i] = any(3) == 0 ? any(256) : 0;
	}
}

static void any_setting_of(struct op *op, const struct option *o)
{
	static const size_t sizes[] = {0, 1, 8, 12, 16, 24, 40};
	static const char *const names[] = {
		"reno", "cubic", "bbr", "tls", "lo", "none"};
	int value = any_number();

	*op = (struct op){.level = o->level, .optname = o->optname};
	switch (any(8)) {
	case 0:
		any_data(op, sizes[any(sizeof(sizes) / sizeof(sizes[0]))]);
		return;
	case 1:
		strcpy((char *)op->data, names[any(6)]);
		op->size = strlen((char *)op->data) + 1;
		return;
	default:
		if (any(2) == 0) {
			value = any(2);
		}
		memcpy(op->data, &value, sizeof(value));
		op->size = sizeof(value);
		return;
	}
}

static void any_setting(struct op *op, const struct option *o)
{
	any_setting_of(op, o);
	if (op->level == SOL_XDP) {
		/*
		 * The kernel warns of a ring that is larger than memory
		 * (xskq_vmalloc_user(), net/xdp/xsk_queue.c of 7.3).
		 */
		memset(op->data + 2, 0, sizeof(op->data) - 2);
	}
}

static void any_question(struct op *op, struct specimen s)
{
	const struct option *o = any_option(s);
	const uint8_t *input = NULL;
	size_t size;

	*op = (struct op){
		.get = true,
		.level = o->level,
		.optname = o->optname,
		.length = any_length(),
		.fill = any(2) == 0 ? 0xa5 : any(256),
	};
	switch (any(12)) {
	case 0:
		op->optname = any(300);
		break;
	case 1:
		op->optname = any_number();
		break;
	case 2:
		op->level = any(3) == 0 ? any_number() : (int)any(300);
		break;
	}
	if (any(4) == 0) {
		op->place = any(NUM_PLACES);
		if (op->place != PLACE_GOOD && op->length > ASK_PLACED_MAX) {
			op->length = ASK_PLACED_MAX;
		}
	} else {
		op->misaligned = any(4) == 0 ? any(8) : 0;
	}
	if (any(2) == 0) {
		input = option_input(o, s, any(NUM_INPUTS), &size);
		if (size > MAX_DATA) {
			size = MAX_DATA;
		}
		memcpy(op->data, input, size);
		op->size = size;
	} else if (any(3) == 0) {
		any_data(op, any(64));
	}
	do {
		op->way = any(NUM_WAYS);
	} while (!(ways & WAY_BIT(op->way)) || op->way == WAY_SYSCALL ||
		 op->way == WAY_SYSCALL32);
	if (op->way == WAY_BATCH &&
	    (op->place != PLACE_GOOD || op->length < 0 ||
	     op->length > ASK_LENGTH_MAX))
	{
		op->way = WAY_ROUTER;
	}
}

static void any_plan(struct plan *plan)
{
	size_t settings = any(7);
	size_t i;

	plan->specimen = specimens[any(num_specimens)];
	plan->num = MAX_OPS;
	for (i = 0; i < settings; i++) {
		any_setting(&plan->ops[i], any_option(plan->specimen));
	}
	for (; i < MAX_OPS; i++) {
		any_question(&plan->ops[i], plan->specimen);
	}
}

/*
 * Carrying them out
 */

static const struct ask *ask_of(const struct op *op)
{
	static struct ask a;

	a = (struct ask){
		.level = op->level,
		.optname = op->optname,
		.length = op->length,
		.place = op->place,
		.misaligned = op->misaligned,
		.fill = op->fill,
		.input = op->data,
		.input_size = op->size,
	};
	return &a;
}

/* Options that may be asked only once; compare() asks one socket. */
static const char *compare_twins(struct scene *scenes,
				 const struct op *op,
				 bool answered)
{
	const struct option *o = option_of(op->level, op->optname);
	enum way reference = reference_of(op->way, o);
	const enum way order[3] = {reference, op->way, reference};
	static struct record records[3];
	int i;

	for (i = 0; i < 3; i++) {
		struct answer answer = {};
		const struct ask *a = ask_of(op);

		ask_socket(scenes[i].fd);
		ask(order[i], a, 1, &answer);
		record_take(&records[i], a, &answer);
	}
	return compare_records(op->way,
			       ask_of(op),
			       o,
			       answered,
			       &records[0],
			       &records[1],
			       &records[2]);
}

/* A plan needs several twins if a question changes its answer. */
static bool needs_twins(const struct plan *plan)
{
	size_t i;

	for (i = 0; i < plan->num; i++) {
		const struct op *op = &plan->ops[i];

		if (op->get &&
		    option_of(op->level, op->optname)->effect != NONE) {
			return true;
		}
	}
	return false;
}

/*
 * Returns the number of cases; *why is NULL, or the error of the last case.
 * Sockets that this machine cannot create do not count.
 */
static size_t carry_out(const struct plan *plan, const char **why)
{
	size_t num_scenes = needs_twins(plan) ? 3 : 1;
	struct specimen s = plan->specimen;
	struct scene scenes[3];
	size_t cases = 0;
	size_t i;
	size_t j;

	*why = NULL;
	for (i = 0; i < num_scenes; i++) {
		if (scene_open(&scenes[i], s) != 0) {
			num_scenes = i;
			break;
		}
	}
	if (num_scenes == 0 || (needs_twins(plan) && num_scenes < 3)) {
		while (num_scenes > 0) {
			num_scenes--;
			scene_close(&scenes[num_scenes]);
		}
		return 0;
	}
	for (i = 0; i < plan->num && *why == NULL; i++) {
		const struct op *op = &plan->ops[i];
		const struct option *o = option_of(op->level, op->optname);
		bool answered = served(s, o);

		if (!op->get) {
			for (j = 0; j < num_scenes; j++) {
				int ret = setsockopt(scenes[j].fd,
						     op->level,
						     op->optname,
						     op->data,
						     op->size);

				if (ret == 0 && op->level == SOL_TCP &&
				    op->optname == TCP_ULP) {
					s.state = WITH_TLS;
				}
			}
			continue;
		}
		cases++;
		if (o->effect != CLEARS && o->effect != MAPS) {
			ask_socket(scenes[0].fd);
			*why = compare(op->way, ask_of(op), o, answered);
		} else if (answered || !is_command(op->way)) {
			*why = compare_twins(scenes, op, answered);
		}
	}
	for (j = 0; j < num_scenes; j++) {
		scene_close(&scenes[j]);
	}
	return cases;
}

static bool fails(const struct plan *plan)
{
	const char *why = NULL;

	(void)carry_out(plan, &why);
	return why != NULL;
}

/*
 * Shrinking a failing plan
 */

static bool try_plan(struct plan *plan, const struct plan *smaller)
{
	if (!fails(smaller)) {
		return false;
	}
	*plan = *smaller;
	return true;
}

static void drop_ops(struct plan *plan)
{
	size_t i = plan->num;

	while (i > 0) {
		struct plan smaller = *plan;

		i--;
		memmove(&smaller.ops[i],
			&smaller.ops[i + 1],
			(smaller.num - i - 1) * sizeof(smaller.ops[0]));
		smaller.num--;
		(void)try_plan(plan, &smaller);
	}
}

static void shrink(struct plan *plan)
{
	static const enum state states[] = {FRESH, BOUND, CONNECTED};
	struct plan smaller;
	size_t i;

	drop_ops(plan);
	for (i = 0; i < sizeof(states) / sizeof(states[0]); i++) {
		smaller = *plan;
		smaller.specimen.state = states[i];
		if (plan->specimen.state != states[i] &&
		    try_plan(plan, &smaller)) {
			break;
		}
	}
	for (i = 0; i < plan->num; i++) {
		struct op *op = &smaller.ops[i];

		if (!plan->ops[i].get) {
			continue;
		}
		smaller = *plan;
		op->way = WAY_RING;
		(void)try_plan(plan, &smaller);
		smaller = *plan;
		op->place = PLACE_GOOD;
		(void)try_plan(plan, &smaller);
		smaller = *plan;
		op->misaligned = 0;
		(void)try_plan(plan, &smaller);
		smaller = *plan;
		op->fill = 0xa5;
		(void)try_plan(plan, &smaller);
		smaller = *plan;
		op->size = 0;
		(void)try_plan(plan, &smaller);
		for (smaller = *plan;
		     op->size > 0 && op->data[op->size - 1] == 0;) {
			op->size--;
		}
		(void)try_plan(plan, &smaller);
		for (smaller = *plan; op->length > 0;) {
			op->length /= 2;
			if (!try_plan(plan, &smaller)) {
				break;
			}
		}
		for (smaller = *plan; op->length > 0;) {
			op->length--;
			if (!try_plan(plan, &smaller)) {
				break;
			}
		}
	}
	drop_ops(plan);
}

/*
 * Plans as text
 */

static void print_hex(FILE *f, const uint8_t *data, size_t size)
{
	size_t i;

	for (i = 0; i < size; i++) {
		fprintf(f, "%02x", data[i]);
	}
}

static void print_plan(FILE *f, const struct plan *plan)
{
	size_t i;

	fprintf(f,
		"%s %s",
		kinds[plan->specimen.kind].name,
		state_names[plan->specimen.state]);
	for (i = 0; i < plan->num; i++) {
		const struct op *op = &plan->ops[i];

		if (!op->get) {
			fprintf(f, " set=%d:%d:", op->level, op->optname);
			print_hex(f, op->data, op->size);
			continue;
		}
		fprintf(f,
			" get=%d:%d:%d:%s:%u:%02x:",
			op->level,
			op->optname,
			op->length,
			place_names[op->place],
			op->misaligned,
			op->fill);
		print_hex(f, op->data, op->size);
		fprintf(f, ":%s", way_names[op->way]);
	}
	fprintf(f, "\n");
}

static int find_name(const char *const *names, size_t num, const char *name)
{
	size_t i;

	for (i = 0; i < num; i++) {
		if (strcmp(names[i], name) == 0) {
			return i;
		}
	}
	return -1;
}

static bool parse_hex(struct op *op, const char *hex)
{
	unsigned byte;

	for (op->size = 0; hex[0] != '\0'; hex += 2) {
		if (op->size == MAX_DATA || sscanf(hex, "%2x", &byte) != 1 ||
		    hex[1] == '\0') {
			return false;
		}
		op->data[op->size] = byte;
		op->size++;
	}
	return true;
}

static bool parse_op(struct op *op, char *text)
{
	char *fields[8] = {};
	size_t num = 0;
	int place;
	int way;

	*op = (struct op){.get = strncmp(text, "get=", 4) == 0};
	if (!op->get && strncmp(text, "set=", 4) != 0) {
		return false;
	}
	text += 4;
	while (text != NULL && num < 8) {
		fields[num] = strsep(&text, ":");
		num++;
	}
	if (num != (op->get ? 8 : 3)) {
		return false;
	}
	op->level = atoi(fields[0]);
	op->optname = atoi(fields[1]);
	if (!op->get) {
		return parse_hex(op, fields[2]);
	}
	op->length = atoi(fields[2]);
	place = find_name(place_names, NUM_PLACES, fields[3]);
	op->misaligned = atoi(fields[4]);
	op->fill = strtoul(fields[5], NULL, 16);
	way = find_name(way_names, NUM_WAYS, fields[7]);
	if (place == -1 || way == -1) {
		return false;
	}
	op->place = place;
	op->way = way;
	return parse_hex(op, fields[6]);
}

static bool parse_plan(struct plan *plan, char *line)
{
	char *kind = strsep(&line, " ");
	char *state = strsep(&line, " ");
	size_t i;
	int found;

	*plan = (struct plan){.specimen.kind = NUM_KINDS};
	for (i = 0; i < NUM_KINDS; i++) {
		if (strcmp(kinds[i].name, kind) == 0) {
			plan->specimen.kind = i;
		}
	}
	if (state == NULL || plan->specimen.kind == NUM_KINDS) {
		return false;
	}
	found = find_name(state_names, NUM_STATES, state);
	if (found == -1) {
		return false;
	}
	plan->specimen.state = found;
	while (line != NULL) {
		if (plan->num == MAX_OPS ||
		    !parse_op(&plan->ops[plan->num], strsep(&line, " ")))
		{
			return false;
		}
		plan->num++;
	}
	return true;
}

/*
 * Races
 */

/* The settings of a plan, and how often the test asks meanwhile. */
#define RACE_SETTINGS 8
#define RACE_ROUNDS 8

struct rival {
	const struct plan *plan;
	const struct scene *scene;
	atomic_bool stop;
};

static void rival_talk(int fd)
{
	char buffer[64] = "";

	(void)send(fd, buffer, sizeof(buffer), MSG_DONTWAIT | MSG_NOSIGNAL);
	(void)recv(fd, buffer, sizeof(buffer), MSG_DONTWAIT);
}

static void *rival_main(void *private_data)
{
	static uint8_t buffer[ASK_LENGTH_MAX + ASK_BEHIND];
	struct rival *rival = private_data;
	const struct scene *scene = rival->scene;
	size_t i;

	while (!atomic_load(&rival->stop)) {
		for (i = 0; i < rival->plan->num; i++) {
			const struct op *op = &rival->plan->ops[i];
			socklen_t length = op->length;

			if (!op->get) {
				(void)setsockopt(scene->fd,
						 op->level,
						 op->optname,
						 op->data,
						 op->size);
			} else if (op->length <= ASK_LENGTH_MAX &&
				   option_of(op->level, op->optname)->effect ==
					   NONE)
			{
				memcpy(buffer, op->data, op->size);
				(void)getsockopt(scene->fd,
						 op->level,
						 op->optname,
						 buffer,
						 &length);
			}
		}
		rival_talk(scene->fd);
		for (i = 0; i < scene->num_others; i++) {
			rival_talk(scene->others[i]);
		}
	}
	return NULL;
}

static void any_race(struct plan *plan)
{
	size_t i;

	plan->specimen = specimens[any(num_specimens)];
	plan->num = MAX_OPS;
	for (i = 0; i < MAX_OPS; i++) {
		if (i >= RACE_SETTINGS) {
			any_question(&plan->ops[i], plan->specimen);
		} else {
			any_setting(&plan->ops[i], any_option(plan->specimen));
		}
	}
	/* the values that the test asks for must also change */
	for (i = 0; i < RACE_SETTINGS; i += 2) {
		const struct op *op = &plan->ops[RACE_SETTINGS + i];

		any_setting(&plan->ops[i], option_of(op->level, op->optname));
	}
}

/* As carry_out(). */
static size_t carry_out_race(const struct plan *plan, const char **why)
{
	static struct record record;
	struct scene scene;
	struct rival rival = {.plan = plan, .scene = &scene};
	pthread_t thread;
	size_t cases = 0;
	size_t i;

	*why = NULL;
	if (scene_open(&scene, plan->specimen) != 0) {
		return 0;
	}
	ask_socket(scene.fd);
	if (pthread_create(&thread, NULL, rival_main, &rival) != 0) {
		*why = "no thread";
		scene_close(&scene);
		return 0;
	}
	for (i = 0; i < RACE_ROUNDS * plan->num && *why == NULL; i++) {
		const struct op *op = &plan->ops[i % plan->num];
		const struct option *o = option_of(op->level, op->optname);
		const struct ask *a = ask_of(op);
		struct answer answer = {};

		if (!op->get) {
			continue;
		}
		cases++;
		ask(op->way, a, 1, &answer);
		record_take(&record, a, &answer);
		answer_undo(op->way, a, o, &answer);
		if (is_command(op->way) && o->ring != OVERRUNS &&
		    record_outside(a, &record))
		{
			*why = "wrote outside the buffer";
		}
	}
	atomic_store(&rival.stop, true);
	pthread_join(thread, NULL);
	scene_close(&scene);
	return cases;
}

static void race(size_t wanted, uint64_t started)
{
	const char *why = NULL;
	struct plan plan;
	size_t cases = 0;

	while (cases < wanted && why == NULL) {
		any_race(&plan);
		cases += carry_out_race(&plan, &why);
	}
	tap_result(why == NULL,
		   "races, seed %llu: %zu cases",
		   (unsigned long long)started,
		   cases);
	if (why != NULL) {
		printf("# %s\n# ", why);
		print_plan(stdout, &plan);
	}
}

static void print_bytes(const uint8_t *data, size_t size)
{
	size_t i;

	printf("{");
	for (i = 0; i < size; i++) {
		printf("%#x, ", data[i]);
	}
	printf("}");
}

/* Print it in remarks, so that a reader can cut it out of a log. */
static void print_program(const struct plan *plan)
{
	const struct kind_info *k = &kinds[plan->specimen.kind];
	size_t i;

	printf("#! /* %s: %s: by system call and by ring */\n",
	       k->name,
	       state_names[plan->specimen.state]);
	printf("#! #include <errno.h>\n"
	       "#! #include <stdio.h>\n"
	       "#! #include <string.h>\n"
	       "#! #include <sys/socket.h>\n"
	       "#! #include <liburing.h>\n"
	       "#! int main(void)\n#! {\n"
	       "#! \tstruct io_uring ring;\n"
	       "#! \tstruct io_uring_sqe *sqe;\n"
	       "#! \tstruct io_uring_cqe *cqe;\n"
	       "#! \tunsigned char buffer[70000];\n"
	       "#! \tsocklen_t length;\n"
	       "#! \tint ret;\n"
	       "#! \t/* and bring it into the state: %s */\n"
	       "#! \tint fd = socket(%d, %d, %d);\n"
	       "#! \tio_uring_queue_init(4, &ring, 0);\n",
	       state_names[plan->specimen.state],
	       k->family,
	       k->type,
	       k->protocol);
	for (i = 0; i < plan->num; i++) {
		const struct op *op = &plan->ops[i];

		if (!op->get) {
			printf("#! \tret = setsockopt(fd, %d, %d, "
			       "(unsigned char[])",
			       op->level,
			       op->optname);
			print_bytes(op->data, op->size);
			printf(", %zu);\n", op->size);
			continue;
		}
		printf("#! \tfor (int i = 0; i < 2; i++) {\n"
		       "#! \t\t/* %s, by %s, %u past an aligned address */\n"
		       "#! \t\tmemset(buffer, %#x, sizeof(buffer));\n"
		       "#! \t\tmemcpy(buffer, (unsigned char[])",
		       place_names[op->place],
		       way_names[op->way],
		       op->misaligned,
		       op->fill);
		print_bytes(op->data, op->size);
		printf(", %zu);\n"
		       "#! \t\tlength = %d;\n"
		       "#! \t\tif (i == 0) {\n"
		       "#! \t\t\tret = getsockopt(fd, %d, %d, buffer, "
		       "&length);\n"
		       "#! \t\t\tret = ret == 0 ? (int)length : -errno;\n"
		       "#! \t\t} else {\n"
		       "#! \t\t\tsqe = io_uring_get_sqe(&ring);\n"
		       "#! \t\t\tio_uring_prep_cmd_sock(sqe, "
		       "SOCKET_URING_OP_GETSOCKOPT, fd, %d, %d, buffer, "
		       "length);\n"
		       "#! \t\t\tio_uring_submit_and_wait(&ring, 1);\n"
		       "#! \t\t\tio_uring_peek_cqe(&ring, &cqe);\n"
		       "#! \t\t\tret = cqe->res;\n"
		       "#! \t\t\tio_uring_cqe_seen(&ring, cqe);\n"
		       "#! \t\t}\n"
		       "#! \t\tprintf(\"%%d: %%d, %%#x\\n\", i, ret, "
		       "buffer[0]);\n"
		       "#! \t}\n",
		       op->size,
		       op->length,
		       op->level,
		       op->optname,
		       op->level,
		       op->optname);
	}
	printf("#! }\n");
}

static void complain(struct plan *plan, const char *first, bool smaller)
{
	const char *why = NULL;

	printf("# %s\n", first);
	if (smaller) {
		shrink(plan);
	}
	(void)carry_out(plan, &why);
	printf("# %s\n# ", why != NULL ? why : "not every time");
	print_plan(stdout, plan);
	print_program(plan);
}

/* Whether this machine and this run have the ways that the plan needs. */
static bool possible(const struct plan *plan)
{
	size_t i;

	for (i = 0; i < plan->num; i++) {
		if (plan->ops[i].get && !(ways & WAY_BIT(plan->ops[i].way))) {
			return false;
		}
	}
	return true;
}

static bool replay(const char *path)
{
	FILE *f = fopen(path, "r");
	char *line = NULL;
	size_t size = 0;
	size_t cases = 0;
	size_t left_out = 0;
	bool ok = true;

	if (f == NULL) {
		tap_result(false, "corpus: %s: %s", path, strerror(errno));
		return false;
	}
	while (getline(&line, &size, f) != -1) {
		struct plan plan;
		const char *why = NULL;

		line[strcspn(line, "\n")] = '\0';
		if (line[0] == '#' || line[0] == '\0') {
			continue;
		}
		if (!parse_plan(&plan, line)) {
			tap_remark("cannot be read: %s", line);
			ok = false;
			continue;
		}
		if (!possible(&plan)) {
			left_out++;
			continue;
		}
		cases += carry_out(&plan, &why);
		if (why != NULL) {
			complain(&plan, why, false);
			ok = false;
		}
	}
	free(line);
	fclose(f);
	tap_result(ok && cases > 0,
		   "corpus: %zu cases (%zu lines are for other machines)",
		   cases,
		   left_out);
	return ok;
}

int main(int argc, const char *argv[])
{
	const char *ring = NULL;
	const char *corpus = NULL;
	uint64_t started;
	size_t wanted = 0;
	size_t races = 0;
	size_t cases = 0;
	size_t failed = 0;
	bool worker = false;
	int i;

	for (i = 1; i < argc; i++) {
		if (strcmp(argv[i], "--worker") == 0) {
			worker = true;
		} else if (i + 1 == argc) {
			ring = NULL;
			break;
		} else if (strcmp(argv[i], "--ring") == 0) {
			i++;
			ring = argv[i];
		} else if (strcmp(argv[i], "--seed") == 0) {
			i++;
			seed = strtoull(argv[i], NULL, 0);
		} else if (strcmp(argv[i], "--cases") == 0) {
			i++;
			wanted = strtoull(argv[i], NULL, 0);
		} else if (strcmp(argv[i], "--races") == 0) {
			i++;
			races = strtoull(argv[i], NULL, 0);
		} else if (strcmp(argv[i], "--corpus") == 0) {
			i++;
			corpus = argv[i];
		} else {
			ring = NULL;
			break;
		}
	}
	if (!serves_parse(ring)) {
		fprintf(stderr,
			"usage: fuzz --ring sol_socket|inet|lts|all [--worker] "
			"[--seed N] [--cases N] [--corpus FILE] "
			"[--races N]\n");
		return 2;
	}
	started = seed;
	/* xorshift has no zero */
	seed = seed * 2 + 1;

	tap_init();
	sockets_init();
	uring_set_mode(URING_MODE_RING);
	ask_init(worker);
	ways = ask_ways();
	if (corpus != NULL) {
		(void)replay(corpus);
	}
	while (cases < wanted && failed < 5) {
		struct plan plan;
		const char *why = NULL;

		any_plan(&plan);
		cases += carry_out(&plan, &why);
		if (why != NULL) {
			complain(&plan, why, true);
			failed++;
		}
	}
	if (wanted > 0) {
		tap_result(failed == 0,
			   "seed %llu: %zu cases",
			   (unsigned long long)started,
			   cases);
	}
	if (races > 0) {
		race(races, started);
	}
	printf("1..%u\n", tap->num);
	return tap->failed != 0;
}
