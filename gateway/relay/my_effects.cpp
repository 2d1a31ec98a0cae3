// gateway/relay/my_effects.cpp: what statements leave in a MySQL session.
#include "gateway/relay/my_effects.hpp"

#include <algorithm>
#include <functional>
#include <initializer_list>

#include "gateway/relay/my_charsets.hpp"
#include "gateway/relay/settings.hpp"

namespace sluice::gateway {
namespace {

using sql::mysql_kind;
using sql::mysql_pin;

using kind_set = std::uint64_t;  // bits as in mysql_traits::kinds

constexpr kind_set set_of(std::initializer_list<mysql_kind> kinds) noexcept
{
    kind_set set = 0;
    for (const auto kind : kinds)
        set |= kind_set{1} << static_cast<unsigned>(kind);
    return set;
}

constexpr kind_set plain_kinds =
    set_of({mysql_kind::select,        mysql_kind::insert,   mysql_kind::replace,
            mysql_kind::update,        mysql_kind::delete_,  mysql_kind::values,
            mysql_kind::table,         mysql_kind::with,     mysql_kind::begin,
            mysql_kind::commit,        mysql_kind::rollback, mysql_kind::rollback_to,
            mysql_kind::savepoint,     mysql_kind::release,  mysql_kind::show,
            mysql_kind::show_warnings, mysql_kind::use,      mysql_kind::do_,
            mysql_kind::load_data,     mysql_kind::create,   mysql_kind::ddl,
            mysql_kind::maintenance,   mysql_kind::explain});

// Kinds that are reported as a change of the session, and are nothing that is not known otherwise.
constexpr kind_set explained_kinds = set_of({mysql_kind::set,
                                             mysql_kind::set_transaction,
                                             mysql_kind::use,
                                             mysql_kind::prepare,
                                             mysql_kind::deallocate,
                                             mysql_kind::lock_tables,
                                             mysql_kind::unlock_tables,
                                             mysql_kind::create_temporary_table,
                                             mysql_kind::drop_temporary_table,
                                             mysql_kind::handler_open,
                                             mysql_kind::handler_close});

bool is_plain(const sql::mysql_traits& traits) noexcept
{
    return !traits.opaque && (traits.kinds & ~plain_kinds) == 0;
}

// Also of several statements, if one of them is of such a kind.
bool explains_changes(const sql::mysql_traits& traits) noexcept
{
    return !traits.opaque && (traits.kinds & explained_kinds) != 0 &&
           (traits.kinds & ~(explained_kinds | plain_kinds)) == 0;
}

// SET @@name: the session's as SET name is, but MariaDB 10.11 does not report it.
bool has_bare_signs(std::string_view text, std::string_view name)
{
    const std::less<const char*> before;
    if (before(name.data(), text.data()) || !before(name.data(), text.data() + text.size()))
        return false;  // a constant
    auto head = text.substr(0, static_cast<std::size_t>(name.data() - text.data()));
    if (head.ends_with('`'))
        head.remove_suffix(1);
    while (head.ends_with(' '))
        head.remove_suffix(1);
    return head.ends_with("@@");
}

}  // namespace

my_effects my_effects_of(std::string_view text, sql::mysql_mode mode)
{
    const auto traits = sql::classify_mysql(text, mode);
    my_effects effects;
    effects.digest = traits.digest;
    effects.looks = traits.looks;
    effects.unknown_call = traits.unknown_call;
    effects.only_reads = traits.only_reads;
    if (traits.self_contained)
        return effects;
    effects.pins = traits.pins;
    effects.unpins = traits.unpins;
    effects.plain = is_plain(traits);
    effects.opaque = traits.opaque;
    effects.changes_explained = explains_changes(traits);
    effects.opens_transaction = traits.has(mysql_kind::begin) || traits.has(mysql_kind::xa);
    effects.loads_local_file = traits.local_infile;
    effects.releases_lock = traits.releases_locks;
    effects.more_names = traits.more_names;
    effects.kills = traits.kind == mysql_kind::kill && traits.statements == 1;
    effects.kill = traits.kill;
    for (std::size_t i = 0; i < traits.setting_count; ++i) {
        std::string name = lower_case(traits.settings[i].name);
        effects.touches_tracking = effects.touches_tracking || name.starts_with("session_track_");
        effects.unreported = effects.unreported || has_bare_signs(text, traits.settings[i].name);
        effects.variables.push_back(std::move(name));
    }
    if (traits.name.empty())
        return effects;
    if (traits.kind == mysql_kind::use && traits.statements == 1) {
        sql::append_mysql_name(effects.schema, traits.name);
    } else if (traits.name_kind == mysql_kind::prepare ||
               traits.name_kind == mysql_kind::deallocate) {
        sql::append_mysql_name(effects.name, traits.name);
        effects.name = lower_case(effects.name);
        effects.name_kind = traits.name_kind;
    }
    return effects;
}

my_effects my_effects_of(std::string_view text, sql::mysql_mode mode, std::string_view charset)
{
    if (!hides_ascii(charset))
        return my_effects_of(text, mode);
    std::string copy;
    const auto readable = readable_text(text, charset, copy);
    auto effects = my_effects_of(readable, mode);
    if (readable.data() != text.data()) {
        // A name in it may not be the one that was written.
        effects.schema.clear();
        effects.more_names = effects.more_names || !effects.name.empty();
    }
    return effects;
}

void my_pins::pin(const my_effects& effects)
{
    reasons_ |= effects.pins;
    if (!sql::any(effects.pins & mysql_pin::sql_prepare))
        return;
    if (effects.name_kind == mysql_kind::prepare && !effects.more_names) {
        std::erase(prepared_, effects.name);  // it takes the place of its namesake
        prepared_.push_back(effects.name);
    } else {
        unknown_name_ = true;
    }
}

void my_pins::settle(const my_effects& effects)
{
    reasons_ = reasons_ & ~(effects.unpins & ~effects.pins);
    if (!sql::any(effects.pins & mysql_pin::found_rows))
        reasons_ = reasons_ & ~mysql_pin::found_rows;
    if (effects.name_kind != mysql_kind::deallocate || effects.more_names)
        return;
    std::erase(prepared_, effects.name);
    if (prepared_.empty() && !unknown_name_)
        reasons_ = reasons_ & ~mysql_pin::sql_prepare;
}

void my_pins::set_tables_locked(bool locked) noexcept
{
    reasons_ = locked ? reasons_ | mysql_pin::table_lock : reasons_ & ~mysql_pin::table_lock;
}

void my_pins::clear() noexcept
{
    reasons_ = mysql_pin::none;
    for_good_ = {};
    prepared_.clear();
    unknown_name_ = false;
}

std::string_view my_pins::reason() const noexcept
{
    if (!sql::any(reasons_))
        return for_good_;
    const auto bits = static_cast<unsigned>(reasons_);
    return sql::describe(static_cast<mysql_pin>(bits & (~bits + 1)));
}

}  // namespace sluice::gateway
