// gateway/admin/actions.hpp: what an operator does to databases and clients while they are in use:
// the console's PAUSE, RESUME, DISABLE, ENABLE, RECONNECT, KILL, KILL_CLIENT, WAIT_CLOSE, and the
// same from elsewhere (HTTP).
//
//   PAUSE       pause(), then wait until busy() is zero
//   RECONNECT   reconnect(); WAIT_CLOSE: wait until outdated() is zero
//
// Nothing here blocks or waits: whoever wants to know when it is done asks again after a moment.
// Layer: gateway. Thread-safe, touched at logins, when pools are made, and by operators.
// An empty database name stands for every database.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <set>
#include <string>

#include "gateway/admin/gate.hpp"

namespace sluice::gateway {
struct context;
}

namespace sluice::gateway::admin {

class actions {
public:
    explicit actions(context& shared) : shared_(shared) {}

    // Whether clients may name it; the empty name is known, too.
    bool known(const std::string& database) const;

    // From now on requests of this database's clients wait (queue_timeout goes on), and connections
    // to its server are closed as soon as nobody uses them.
    void pause(const std::string& database);
    // resume("") ends every pause, also those of single databases and of kill().
    void resume(const std::string& database);
    // Ends the pause of this name alone: take_back("") leaves single databases paused.
    void take_back(const std::string& database);
    // Connections to the server that are open, or SQLite clients that have something to do.
    std::size_t busy(const std::string& database) const;
    bool paused(const std::string& database) const;

    // Nobody new may log in to it; who is logged in stays.
    void set_disabled(const std::string& database, bool disabled);
    bool disabled(const std::string& database) const;

    // Every connection to the server is replaced when nobody uses it.
    void reconnect(const std::string& database);
    std::size_t outdated(const std::string& database) const;

    // Pauses the database and drops its clients at once; what they run is cancelled and rolled
    // back, and the server's connections are closed behind it. resume() lets new ones in.
    void kill(const std::string& database);
    // `done` is called on some worker's thread: whether there was such a client.
    void kill_client(std::uint64_t id, std::function<void(bool)> done);

    // The way into a SQLite database. It lives as long as the gateway.
    gate& gate_of(const std::string& database);

private:
    bool paused_locked(const std::string& database) const;
    void apply(const std::string& database);

    context& shared_;
    std::mutex one_by_one_;     // held over a whole pause() or resume()
    mutable std::mutex mutex_;  // of what follows; nothing else is locked under it
    bool all_paused_ = false;
    std::set<std::string> paused_;
    std::set<std::string> disabled_;
    std::map<std::string, std::unique_ptr<gate>> gates_;
};

}  // namespace sluice::gateway::admin
