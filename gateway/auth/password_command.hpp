// gateway/auth/password_command.hpp: `sluice password USER`: a password in, verifiers out.
#pragma once

#include <iosfwd>
#include <string>

namespace sluice::gateway {

inline constexpr std::size_t password_size_max = 1024;

struct password_streams {
    std::istream& in;   // the password: two lines from a terminal, else one
    std::ostream& out;  // lines for [users.USER], nothing else
    std::ostream& err;  // prompts and complaints
};

// `terminal`: standard input is one (isatty(0)); it shows no echo meanwhile.
// `like`: an SCRAM verifier of the same user whose salt and iterations the new one takes, so that
// both passwords can be used while they are rotated; empty: a salt of its own.
// Exit code: 0, 1 for what cannot be used, 130 when interrupted.
int run_password_command(const std::string& user,
                         const password_streams& streams,
                         bool terminal,
                         const std::string& like = {});

}  // namespace sluice::gateway
