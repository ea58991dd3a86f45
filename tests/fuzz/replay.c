/* SPDX-License-Identifier: Apache-2.0 */
/* replay.c  Feeds every file of a folder to a fuzz target, so that the corpus is a test in every build. */
#include <dirent.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static int feed(const char *path)
{
	static uint8_t bytes[1 << 20];
	FILE *f = fopen(path, "rb");
	if (!f)
		return 1;
	size_t n = fread(bytes, 1, sizeof bytes, f);
	fclose(f);
	/* a heap copy of the exact size, so that a sanitizer sees the first byte read past the end */
	uint8_t *exact = malloc(n ? n : 1);
	if (!exact)
		return 1;
	for (size_t i = 0; i < n; i++)
		exact[i] = bytes[i];
	LLVMFuzzerTestOneInput(exact, n);
	free(exact);
	return 0;
}

int main(int argc, char **argv)
{
	if (argc < 2)
		return 2;
	DIR *dir = opendir(argv[1]);
	if (!dir) {
		perror(argv[1]);
		return 1;
	}
	unsigned fed = 0;
	for (struct dirent *e; (e = readdir(dir)) != NULL;) {
		if (e->d_name[0] == '.')
			continue;
		char path[4096];
		snprintf(path, sizeof path, "%s/%s", argv[1], e->d_name);
		if (feed(path)) {
			perror(path);
			closedir(dir);
			return 1;
		}
		fed++;
	}
	closedir(dir);
	printf("%u inputs replayed\n", fed);
	return fed ? 0 : 1;
}
