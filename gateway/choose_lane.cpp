// gateway/choose_lane.cpp: who may use which database, and by which lane.
#include "gateway/context.hpp"
#include "gateway/relay/pg_lane.hpp"
#include "gateway/session.hpp"

namespace sluice::gateway {

// False: the client was refused.
bool session::choose_lane()
{
    const auto& settings = shared_.settings;
    const database* entry = settings.find_database(identity_.database);
    if (!entry) {
        refuse("3D000",
               "database \"" + identity_.database + "\" does not exist in this gateway",
               "Add [databases." + identity_.database + "] to the configuration.");
        return false;
    }
    const user* who = settings.find_user(identity_.user);
    if (who && !who->may_use(identity_.database)) {
        refuse(
            "42501",
            "user \"" + identity_.user + "\" may not use database \"" + identity_.database + "\"",
            "See users." + identity_.user + ".databases.");
        return false;
    }
    switch (entry->engine) {
        case engine::postgres:
            lane_ = std::make_unique<pg_lane>(
                shared_, *this, shared_.databases.postgres(*entry, identity_.database, who));
            return true;
        case engine::sqlite:
            break;
    }
    refuse("0A000", "this version does not serve SQLite yet", "");
    return false;
}

}  // namespace sluice::gateway
