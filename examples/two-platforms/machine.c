/* machine - says what it was made for, and what it runs on. */
#include <stdio.h>
#include <sys/utsname.h>

int
main(void)
{
        struct utsname u;

        if (uname(&u) != 0) {
                perror("uname");
                return 1;
        }
        printf("made for %s, runs on %s\n", PLATFORM, u.machine);
        return 0;
}
