// gateway/choose_lane.cpp: who may use which database, and by which lane.
#include "gateway/admin/console_lane.hpp"
#include "gateway/context.hpp"
#include "gateway/my_lobby.hpp"
#include "gateway/relay/my_lane.hpp"
#include "gateway/relay/pg_lane.hpp"
#include "gateway/session.hpp"
#include "gateway/translate/my_conversation.hpp"
#include "gateway/translate/translate_lane.hpp"
#include "gateway/worker.hpp"

namespace sluice::gateway {

bool session::enter(const database& entry, const user* who)
{
    const std::size_t user_max = who ? who->max_clients : 0;
    const auto refused = shared_.limits.enter(
        identity_.database, entry.max_clients, identity_.user, user_max, counted_);
    if (refused == client_limits::refusal::database)
        refuse(client_error::too_many_database_clients,
               "too many clients of database \"" + identity_.database +
                   "\" (max_clients = " + std::to_string(entry.max_clients) + ")",
               "Close idle connections or raise databases." + entry.name + ".max_clients.");
    else if (refused == client_limits::refusal::user)
        refuse(client_error::too_many_user_clients,
               "too many clients of user \"" + identity_.user +
                   "\" (max_clients = " + std::to_string(user_max) + ")",
               "Close idle connections or raise users." + identity_.user + ".max_clients.");
    return refused == client_limits::refusal::none && enter_tenant();
}

bool session::enter_tenant()
{
    const bool by_database = rules_->settings.tenants.key == tenant_key::database;
    auto found = shared_.tenants.find(by_database ? identity_.database : identity_.tenant);
    if (!found->enter_client()) {
        const auto most = std::to_string(found->limits().max_clients);
        refuse(client_error::too_many_tenant_clients,
               "too many clients of tenant \"" + found->name() + "\" (max_clients = " + most + ")",
               "Close idle connections or raise max_clients in " +
                   shared_.tenants.section_of(found->name()) + ".");
        return false;
    }
    tenant_ = tenant_ticket(std::move(found));
    return true;
}

// False: the client was refused.
bool session::choose_lane()
{
    const auto& settings = rules_->settings;
    if (over_max_ && !admin::is_console(settings, identity_.database)) {
        refuse_one_too_many();
        return false;
    }
    entered_by_ = rules_->number;
    const bool undecided = protocol_ == client_protocol::mysql && identity_.database.empty();
    if (undecided && !choose_default_database()) {
        lane_ = std::make_unique<my_lobby>(shared_, *this);
        return true;
    }
    if (admin::is_console(settings, identity_.database))
        return choose_console();
    const database* entry = settings.find_database(identity_.database);
    if (!entry) {
        refuse(client_error::unknown_database,
               "database \"" + identity_.database + "\" does not exist in this gateway",
               "Add [databases." + identity_.database + "] to the configuration.");
        return false;
    }
    const user* who = settings.find_user(identity_.user);
    if (who && !who->may_use(identity_.database)) {
        refuse(
            client_error::forbidden_database,
            "user \"" + identity_.user + "\" may not use database \"" + identity_.database + "\"",
            "See users." + identity_.user + ".databases.");
        return false;
    }
    if (shared_.operations.disabled(identity_.database)) {
        refuse(client_error::database_disabled,
               "database \"" + identity_.database + "\" is disabled: it takes no new connections",
               "");
        return false;
    }
    if (!enter(*entry, who))
        return false;
    switch (entry->engine) {
        case engine::postgres:
            return choose_postgres(*entry, who);
        case engine::mysql:
            return choose_mysql(*entry, who);
        case engine::sqlite:
            return choose_sqlite();
    }
    return false;
}

bool session::choose_console()
{
    if (!admin::may_enter(rules_->settings.find_user(identity_.user))) {
        refuse(client_error::forbidden_database,
               "user \"" + identity_.user + "\" may not use the admin console",
               "Set admin = true in [users." + identity_.user + "]; stats = true: to look only.");
        return false;
    }
    lane_ = protocol_ == client_protocol::mysql ? admin::make_my_console(shared_, *this)
                                                : admin::make_pg_console(shared_, *this);
    return true;
}

bool session::choose_postgres(const database& entry, const user* who)
{
    if (protocol_ == client_protocol::mysql)
        return refuse_engine("PostgreSQL", "PostgreSQL");
    auto pool = shared_.databases.postgres(entry, identity_.database, who);
    count_client(pool->counted_in());
    lane_ = std::make_unique<pg_lane>(shared_, *this, std::move(pool));
    return true;
}

bool session::choose_mysql(const database& entry, const user* who)
{
    if (protocol_ == client_protocol::postgres)
        return refuse_engine("MySQL", "MySQL");
    auto pool = shared_.databases.mysql(
        *rules_, entry, identity_.database, who, identity_.mysql->capabilities);
    count_client(pool->counted_in());
    lane_ = std::make_unique<my_lane>(shared_, *this, std::move(pool));
    return true;
}

bool session::choose_sqlite()
{
    auto file = shared_.files.find(identity_.database);
    if (!file) {
        refuse(client_error::unknown_database,
               "database \"" + identity_.database + "\" has no open SQLite file",
               "");
        return false;
    }
    count_client(shared_.counts.pool(identity_.database, identity_.database, "sqlite", ""));
    translate_options options;
    options.max_message = rules_->settings.gateway.max_message;
    options.limits.set_database(shared_.files.limits(identity_.database), identity_.database);
    options.limits.set_tenant(tenant_.shared(), shared_.tenants);
    options.tenant = tenant_.shared();
    options.sweeps = &home_.deadlines();
    home_.deadlines().note(options.limits.smallest());
    options.places = shared_.files.places_of(identity_.database);
    options.tenants = &shared_.tenants;
    options.texts = shared_.files.texts_of(home_.index());
    options.way_in = &shared_.operations.gate_of(identity_.database);
    options.pause_most = rules_->settings.find_database(identity_.database)->pool.queue_timeout;
    if (protocol_ == client_protocol::mysql) {
        auto talk =
            std::make_shared<my_conversation>(*this, *file, options, shared_.mysql_version.text());
        lane_ = std::make_unique<translate_lane>(std::move(file), std::move(talk));
        return true;
    }
    lane_ = std::make_unique<translate_lane>(*this, std::move(file), options);
    return true;
}

bool session::refuse_engine(const std::string& engine, const std::string& protocol)
{
    refuse(client_error::not_supported,
           "database \"" + identity_.database + "\" is " + engine + ": it serves " + protocol +
               " clients only",
           "");
    return false;
}

}  // namespace sluice::gateway
