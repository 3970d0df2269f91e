/* `nvidia-smi -i UUID -pl WATTS` over the fake NVML, with the messages and exit codes of the real one. */
#include <stdio.h>
#include <stdlib.h>

int nvmlInit_v2(void);
int nvmlDeviceGetHandleByUUID(const char *uuid, void **handle);
int nvmlDeviceSetPowerManagementLimit(void *handle, unsigned milliwatts);

int main(int count, char **word) {
    void *gpu = 0;
    if (count != 5 || nvmlInit_v2() || nvmlDeviceGetHandleByUUID(word[2], &gpu)) {
        puts("No devices were found");
        return 6;
    }
    switch (nvmlDeviceSetPowerManagementLimit(gpu, (unsigned)(atof(word[4]) * 1000))) {
    case 0:
        printf("Power limit for GPU %s was set to %s W.\n", word[2], word[4]);
        return 0;
    case 4:
        printf("Changing power management limit is not permitted for GPU: %s.\n", word[2]);
        return 4;
    default:
        printf("Provided power limit %s W is not a valid power limit for GPU %s\n", word[4], word[2]);
        return 2;
    }
}
