// gateway/admin/command.cpp: understanding the console's commands.
#include "gateway/admin/command.hpp"

#include <algorithm>
#include <charconv>
#include <optional>
#include <vector>

#include "gateway/admin/constants.hpp"
#include "gateway/config/near.hpp"
#include "proto/sql/lexer.hpp"

namespace sluice::gateway::admin {
namespace {

using sql::token_kind;

enum class takes { nothing, database, maybe_database, client, setting, how_to_shut_down, topic };

struct form {
    std::string_view name;
    verb what;
    takes argument;
};

constexpr form forms[] = {
    {"SHOW", verb::show, takes::topic},
    {"PAUSE", verb::pause, takes::maybe_database},
    {"RESUME", verb::resume, takes::maybe_database},
    {"DISABLE", verb::disable, takes::database},
    {"ENABLE", verb::enable, takes::database},
    {"RECONNECT", verb::reconnect, takes::maybe_database},
    {"KILL", verb::kill, takes::database},
    {"KILL_CLIENT", verb::kill_client, takes::client},
    {"WAIT_CLOSE", verb::wait_close, takes::maybe_database},
    {"RELOAD", verb::reload, takes::nothing},
    {"SET", verb::set, takes::setting},
    {"SHUTDOWN", verb::shutdown, takes::how_to_shut_down},
    {"HELP", verb::help, takes::nothing},
};

struct words {
    std::vector<sql::token> tokens;
    std::string_view text;

    std::string upper(std::size_t i) const
    {
        return i < tokens.size() ? upper_case(tokens[i].text) : std::string();
    }
    // From token `first` to the end, as written.
    std::string_view from(std::size_t first) const
    {
        if (first >= tokens.size())
            return {};
        const char* begin = tokens[first].text.data();
        const auto& last = tokens.back().text;
        return {begin, static_cast<std::size_t>(last.data() + last.size() - begin)};
    }
};

words split(std::string_view text, client_protocol protocol)
{
    words made;
    made.text = text;
    sql::lexer in(
        text, protocol == client_protocol::mysql ? sql::dialect::mysql : sql::dialect::postgres);
    for (auto each = in.next(); each.kind != token_kind::end; each = in.next()) {
        if (each.kind != token_kind::semicolon)
            made.tokens.push_back(each);
    }
    return made;
}

command refused(std::string message, std::string hint = {})
{
    command made;
    made.what = verb::invalid;
    made.wrong.message = std::move(message);
    made.wrong.hint = hint.empty() ? "SHOW HELP lists the commands." : std::move(hint);
    return made;
}

bool one_name(const words& said, std::size_t at)
{
    const auto rest = said.from(at);
    const bool quoted = said.tokens[at].kind == token_kind::quoted_word ||
                        said.tokens[at].kind == token_kind::string;
    return quoted ? said.tokens.size() == at + 1
                  : rest.find_first_of(" \t\r\n\f\v") == std::string_view::npos;
}

command with_database(verb what, const words& said, bool needed, std::string_view name)
{
    command made;
    made.what = what;
    if (said.tokens.size() == 1) {
        if (needed)
            return refused(std::string(name) + " needs the name of a database",
                           "SHOW DATABASES lists them.");
        return made;
    }
    if (!one_name(said, 1))
        return refused(
            std::string(name) + " takes one database, not \"" + std::string(said.from(1)) + "\"",
            "Put a name with blanks into double quotes.");
    made.object = unquoted(said.from(1));
    // The empty name stands for every database, and that is said by naming none.
    if (made.object.empty())
        return refused(std::string(name) + " takes the name of a database, which is not empty",
                       "SHOW DATABASES lists them.");
    return made;
}

command with_client(const words& said)
{
    command made;
    made.what = verb::kill_client;
    auto text = unquoted(said.from(1));
    int base = 10;
    if (text.starts_with("0x") || text.starts_with("0X")) {
        text.erase(0, 2);
        base = 16;
    }
    const char* last = text.data() + text.size();
    const auto [end, ec] = std::from_chars(text.data(), last, made.client, base);
    if (text.empty() || ec != std::errc{} || end != last)
        return refused("KILL_CLIENT needs a client's number",
                       "The columns id and ptr of SHOW CLIENTS hold it.");
    return made;
}

// MySQL's own KILL [HARD | SOFT] [CONNECTION] number.
std::optional<command> mysql_kill(const words& said)
{
    if (said.tokens.size() < 2 || said.tokens.back().kind != token_kind::number)
        return std::nullopt;
    for (std::size_t i = 1; i + 1 < said.tokens.size(); ++i) {
        const auto word = said.upper(i);
        if (word == "QUERY")
            return refused("the console ends clients, not single statements",
                           "KILL_CLIENT " + std::string(said.tokens.back().text) +
                               " ends the client; KILL QUERY works outside of the console.");
        if (word != "CONNECTION" && word != "HARD" && word != "SOFT")
            return std::nullopt;
    }
    words number = said;
    number.tokens = {said.tokens.front(), said.tokens.back()};
    return with_client(number);
}

command with_setting(const words& said, const session_facts& session)
{
    if (auto known = session_setting(said.from(1), session.protocol))
        return std::move(*known);
    // SET key = value, SET key TO value, SET key value. A key may have dots; a name in it that has
    // dots of its own, dashes or blanks is quoted.
    std::size_t at = 1;
    const auto scope = said.upper(1);
    const bool dotted = said.tokens.size() > 2 && said.tokens[2].kind == token_kind::dot;
    at += (scope == "GLOBAL" || scope == "SESSION") && !dotted;
    command made;
    made.what = verb::set;
    for (bool goes_on = true; goes_on && at < said.tokens.size(); ++at) {
        const auto& each = said.tokens[at];
        const bool quoted = each.kind == token_kind::quoted_word || each.kind == token_kind::string;
        if (!quoted && each.kind != token_kind::word)
            break;
        made.path.push_back(quoted ? unquoted(each.text) : std::string(each.text));
        goes_on = at + 1 < said.tokens.size() && said.tokens[at + 1].kind == token_kind::dot;
        at += goes_on;
    }
    const bool sign =
        at < said.tokens.size() && (said.tokens[at].text == "=" || said.upper(at) == "TO");
    at += sign;
    if (made.path.empty() || at >= said.tokens.size())
        return refused("SET needs a setting and a value: SET databases.app.pool.size = 30",
                       "SHOW CONFIG lists the settings, and which of them can be changed.");
    // Names of databases, users and tenants stay as they are.
    const auto section = lower_case(made.path.front());
    const bool named = section == "databases" || section == "users" ||
                       (section == "tenants" && made.path.size() > 2);
    for (std::size_t i = 0; i < made.path.size(); ++i)
        made.path[i] = named && i == 1 ? made.path[i] : lower_case(made.path[i]);
    for (const auto& each : made.path)
        made.object += (made.object.empty() ? "" : ".") + each;
    made.value = unquoted(said.from(at));
    return made;
}

command with_end(const words& said)
{
    command made;
    made.what = verb::shutdown;
    const auto how = said.upper(1);
    if (said.tokens.size() > 2 ||
        (!how.empty() && how != "WAIT_FOR_CLIENTS" && how != "WAIT_FOR_SERVERS"))
        return refused("SHUTDOWN takes WAIT_FOR_CLIENTS or WAIT_FOR_SERVERS or nothing, not \"" +
                       std::string(said.from(1)) + "\"");
    made.when_idle = !how.empty();
    return made;
}

command with_topic(const words& said, const session_facts& session)
{
    const auto name = said.upper(1);
    if (const auto* found = find_topic(name); found && said.tokens.size() == 2) {
        command made;
        made.what = found->what == topic::help ? verb::help : verb::show;
        made.show = found->what;
        return made;
    }
    if (auto known = shown_setting(said.from(1), session))
        return std::move(*known);
    std::vector<std::string_view> names;
    for (const auto& each : all_topics())
        names.push_back(each.name);
    if (name.empty())
        return refused("SHOW what?");
    return refused("there is no SHOW " + std::string(said.from(1)) + did_you_mean(name, names));
}

command understood(const form& as, const words& said, const session_facts& session)
{
    switch (as.argument) {
        case takes::nothing: {
            if (said.tokens.size() > 1)
                return refused(std::string(as.name) + " takes no argument, but \"" +
                               std::string(said.from(1)) + "\" follows it");
            command made;
            made.what = as.what;
            return made;
        }
        case takes::database:
            if (as.what == verb::kill && session.protocol == client_protocol::mysql) {
                if (auto known = mysql_kill(said))
                    return std::move(*known);
            }
            return with_database(as.what, said, true, as.name);
        case takes::maybe_database:
            return with_database(as.what, said, false, as.name);
        case takes::client:
            return with_client(said);
        case takes::setting:
            return with_setting(said, session);
        case takes::how_to_shut_down:
            return with_end(said);
        case takes::topic:
            return with_topic(said, session);
    }
    return {};
}

}  // namespace

bool command::only_looks() const noexcept
{
    switch (what) {
        case verb::pause:
        case verb::resume:
        case verb::disable:
        case verb::enable:
        case verb::reconnect:
        case verb::kill:
        case verb::kill_client:
        case verb::wait_close:
        case verb::reload:
        case verb::set:
        case verb::shutdown:
            return false;
        default:
            return true;
    }
}

std::vector<column> command::columns() const
{
    switch (what) {
        case verb::show:
        case verb::help:
            return columns_of(show);
        case verb::fixed:
            return reply.columns;
        case verb::reload:
        case verb::set:
            return {{"kind", false}, {"change", false}};
        default:
            return {};
    }
}

command parse_command(std::string_view text, const session_facts& session)
{
    const auto said = split(text, session.protocol);
    if (said.tokens.empty())
        return {};
    const auto first = said.upper(0);
    for (const auto& each : forms) {
        if (each.name == first) {
            auto made = understood(each, said, session);
            made.name = each.name;
            return made;
        }
    }
    if (auto known = session_statement(text, first, session))
        return std::move(*known);
    std::vector<std::string_view> names;
    for (const auto& each : forms)
        names.push_back(each.name);
    return refused("the console has no command " + std::string(said.tokens[0].text) +
                   did_you_mean(first, names));
}

}  // namespace sluice::gateway::admin
