// gateway/relay/my_effects.cpp: what statements leave in a MySQL session.
#include "gateway/relay/my_effects.hpp"

#include <algorithm>

#include "gateway/relay/settings.hpp"

namespace sluice::gateway {
namespace {

using sql::mysql_kind;
using sql::mysql_pin;

bool is_plain(const sql::mysql_traits& traits) noexcept
{
    if (traits.opaque || traits.statements != 1)
        return false;
    switch (traits.kind) {
        case mysql_kind::select:
        case mysql_kind::insert:
        case mysql_kind::replace:
        case mysql_kind::update:
        case mysql_kind::delete_:
        case mysql_kind::values:
        case mysql_kind::table:
        case mysql_kind::with:
        case mysql_kind::begin:
        case mysql_kind::commit:
        case mysql_kind::rollback:
        case mysql_kind::rollback_to:
        case mysql_kind::savepoint:
        case mysql_kind::release:
        case mysql_kind::show:
        case mysql_kind::show_warnings:
        case mysql_kind::use:
        case mysql_kind::do_:
        case mysql_kind::load_data:
        case mysql_kind::create:
        case mysql_kind::ddl:
        case mysql_kind::maintenance:
        case mysql_kind::explain:
            return true;
        default:
            return false;
    }
}

// Kinds that are reported as a change of the session, and are nothing that is not known otherwise.
bool explains_changes(const sql::mysql_traits& traits) noexcept
{
    constexpr auto explained = [](mysql_kind kind) {
        return std::uint64_t{1} << static_cast<unsigned>(kind);
    };
    constexpr std::uint64_t kinds =
        explained(mysql_kind::set) | explained(mysql_kind::set_transaction) |
        explained(mysql_kind::use) | explained(mysql_kind::prepare) |
        explained(mysql_kind::deallocate) | explained(mysql_kind::lock_tables) |
        explained(mysql_kind::unlock_tables) | explained(mysql_kind::create_temporary_table) |
        explained(mysql_kind::drop_temporary_table) | explained(mysql_kind::handler_open) |
        explained(mysql_kind::handler_close);
    return !traits.opaque && (traits.kinds & ~kinds) == 0;
}

}  // namespace

my_effects my_effects_of(std::string_view text, sql::mysql_mode mode)
{
    const auto traits = sql::classify_mysql(text, mode);
    my_effects effects;
    effects.looks = traits.looks;
    if (traits.self_contained)
        return effects;
    effects.pins = traits.pins;
    effects.unpins = traits.unpins;
    effects.plain = is_plain(traits);
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
