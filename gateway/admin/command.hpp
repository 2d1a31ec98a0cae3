// gateway/admin/command.hpp: one statement of the console's, understood.
//
// Besides its own commands the console takes what drivers send of themselves: BEGIN and COMMIT,
// SET of session settings, SELECT of constants and server variables, SHOW of a few settings.
//
// Layer: gateway. Pure. Lifetime: a command owns all that it says.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "gateway/admin/answer.hpp"
#include "gateway/admin/topics.hpp"
#include "gateway/lane.hpp"

namespace sluice::gateway::admin {

enum class verb {
    empty,    // nothing but blanks
    invalid,  // `wrong` says why
    show,
    pause,
    resume,
    disable,
    enable,
    reconnect,
    kill,
    kill_client,
    wait_close,
    reload,
    set,
    shutdown,
    help,
    fixed,  // `reply` is the answer, always
    begin,
    end,  // COMMIT, ROLLBACK: `reply` holds the tag
    use,  // MySQL: another database, `object`
};

struct command {
    verb what = verb::empty;
    topic show = topic::help;
    std::string_view name;          // of a command of ours
    std::string object;             // a database, a setting's name; empty: none
    std::vector<std::string> path;  // of SET: the name's words
    std::string value;              // of SET
    std::uint64_t client = 0;       // of KILL_CLIENT
    bool when_idle = false;         // SHUTDOWN WAIT_FOR_...
    answer reply;                   // fixed, begin, end
    problem wrong;                  // invalid

    // What a user with `stats` alone may say.
    bool only_looks() const noexcept;
    // What the answer's rows will look like; empty: it has none.
    std::vector<column> columns() const;
};

// What the constants of a session are; SELECT and SHOW of drivers ask for them.
struct session_facts {
    client_protocol protocol = client_protocol::postgres;
    std::string user;
    std::string database;
    std::uint32_t id = 0;
    std::string server_version;  // of MySQL's greeting
};

// `text`: one statement, without its semicolon.
command parse_command(std::string_view text, const session_facts& session);

}  // namespace sluice::gateway::admin
