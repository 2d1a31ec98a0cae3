// gateway/main.cpp: the sluice program: arguments, wiring.
#include <cstdio>

#include "generated/version.hpp"

int main()
{
    std::printf("sluice %s\n", sluice::version);
    return 0;
}
