// gateway/sqlite_files.hpp: the SQLite files that are served, opened at start.
//
// Layer: gateway. find(): any thread. All else: one thread at a time.
#pragma once

#include <chrono>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "drivers/sqlite/engine.hpp"
#include "gateway/config/config.hpp"
#include "gateway/deadlines/time_limits.hpp"
#include "pool/admission.hpp"

namespace sluice::gateway {

class translated_texts;

class sqlite_files {
public:
    sqlite_files();
    ~sqlite_files();
    // Opens every file of the configuration. Empty, or what is wrong with which. `after_another`:
    // a process that hands over may still have them (sqlite::options::after_another).
    std::string open(const config& settings, bool after_another);
    // The other side of that; share() blocks briefly. Not empty: why nothing can be handed over
    // now. From share() to stop_sharing() there is no reload: the other process has read the
    // configuration that was in effect, and must know every file that is open here.
    std::string share();
    void stop_sharing();
    // For a reload: opens the files of `settings` that are not served yet. Blocks. Not empty: what
    // is wrong with which, and nothing has changed.
    std::string prepare(const config& settings);
    void forget_prepared();
    // Serves what prepare() opened, and no longer what is not in `settings`, which is returned: its
    // clients have it still, and whoever asked closes it.
    std::map<std::string, std::shared_ptr<sqlite::database>> commit(const config& settings);
    // Null: not a SQLite database.
    std::shared_ptr<sqlite::database> find(const std::string& name) const;
    // How long its clients' statements and transactions may take; a reload may change it.
    std::shared_ptr<live_limits> limits(const std::string& name) const;
    // Once the loops are there: how many statements each file works on at once, and who is next.
    void admit(const config& settings,
               std::vector<asio::io_context*> loops,
               std::shared_ptr<pool::scheduler> lock);
    std::shared_ptr<pool::admission> places_of(const std::string& name) const;
    void for_each_places(
        const std::function<void(const std::string&, pool::admission&)>& look) const;
    // That worker's; lives as long as this.
    translated_texts* texts_of(std::size_t worker) const;
    // On that worker.
    void sweep(std::size_t worker, std::chrono::steady_clock::time_point now);
    // Statements that run have `grace` to end. Blocks.
    void close(std::chrono::milliseconds grace);

private:
    using file_map = std::map<std::string, std::shared_ptr<sqlite::database>>;

    // By names; places of files that are gone stay, they may come back.
    using places_map = std::map<std::string, std::shared_ptr<pool::admission>>;

    std::string share_all();
    void admit_one(const std::string& name, const database& entry);
    places_map all_places() const;
    file_map all() const;

    mutable std::mutex mutex_;
    std::vector<asio::io_context*> loops_;
    std::shared_ptr<pool::scheduler> lock_;
    file_map files_;                                              // shared with their clients
    std::map<std::string, std::shared_ptr<live_limits>> limits_;  // the same
    places_map places_;
    std::vector<std::unique_ptr<translated_texts>> texts_;  // one per worker; set once
    file_map prepared_;                                     // opened, not served
    bool reloading_ = false;                                // from prepare() on
    bool sharing_ = false;
};

}  // namespace sluice::gateway
