// gateway/sqlite_files.hpp: the SQLite files that are served, opened at start.
//
// Layer: gateway. open() and close() on the main thread; find() on any while they do not run.
#pragma once

#include <chrono>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "drivers/sqlite/engine.hpp"
#include "gateway/config/config.hpp"
#include "gateway/deadlines/time_limits.hpp"
#include "pool/admission.hpp"

namespace sluice::gateway {

class sqlite_files {
public:
    // Opens every file of the configuration. Empty, or what is wrong with which.
    std::string open(const config& settings);
    // Null: not a SQLite database.
    std::shared_ptr<sqlite::database> find(const std::string& name) const;
    // How long its clients' statements and transactions may take; a reload may change it.
    std::shared_ptr<live_limits> limits(const std::string& name) const;
    // Once the loops are there: how many statements each file works on at once, and who is next.
    void admit(const config& settings,
               const std::vector<asio::io_context*>& loops,
               const std::shared_ptr<pool::scheduler>& lock);
    std::shared_ptr<pool::admission> places_of(const std::string& name) const;
    void for_each_places(
        const std::function<void(const std::string&, pool::admission&)>& look) const;
    // On that worker.
    void sweep(std::size_t worker, std::chrono::steady_clock::time_point now);
    // Statements that run have `grace` to end. Blocks.
    void close(std::chrono::milliseconds grace);

private:
    std::map<std::string, std::shared_ptr<sqlite::database>> files_;  // shared with their clients
    std::map<std::string, std::shared_ptr<live_limits>> limits_;      // the same
    std::map<std::string, std::shared_ptr<pool::admission>> places_;
};

}  // namespace sluice::gateway
