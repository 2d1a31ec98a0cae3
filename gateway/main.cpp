// gateway/main.cpp: the sluice program.
#include <exception>
#include <iostream>

#include "gateway/cli/cli.hpp"

int main(int argc, char** argv)
{
    try {
        return sluice::gateway::run_command_line(argc, argv);
    } catch (const std::exception& failed) {
        std::cerr << "sluice: " << failed.what() << '\n';
        return 1;
    }
}
