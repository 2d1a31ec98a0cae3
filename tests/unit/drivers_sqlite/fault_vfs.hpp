// tests/unit/drivers_sqlite/fault_vfs.hpp: a file system for SQLite whose power can be cut and
// whose disk can be full or refuse a flush.
//
// It passes everything to the real one and remembers, for each file, what a flush has made durable
// and every 512-byte sector written since. A cut is a copy of what the disk could hold at that
// moment: the durable bytes, and any subset of the sectors behind them.
#pragma once

#include <sqlite3.h>

#include <atomic>
#include <cstdint>
#include <functional>
#include <map>
#include <mutex>
#include <random>
#include <string>
#include <vector>

namespace sluice::sqlite {

class fault_vfs {
public:
    using image =
        std::map<std::string, std::vector<char>>;  // by the file's last name: ".db", "-wal"

    fault_vfs();
    ~fault_vfs();
    fault_vfs(const fault_vfs&) = delete;
    fault_vfs& operator=(const fault_vfs&) = delete;

    const std::string& name() const noexcept { return name_; }

    // Every write and flush of a file is a moment at which `share` of the time the power is cut.
    // `on_cut` gets the disk's content; it runs while no other write or flush can.
    void cut(double share, std::function<void(image)> on_cut);
    void stop_cutting();

    std::atomic<std::int64_t> room = INT64_MAX;  // bytes that files may still grow by
    std::atomic<int> failing_flushes = 0;        // of -wal files, from now on

    // SQLite's side.
    struct sector {
        std::int64_t at;
        std::vector<char> bytes;
    };
    struct content {
        std::vector<char> durable;
        std::vector<sector> pending;
        std::int64_t size = 0;
        std::int64_t durable_size = 0;
    };
    void note_write(const std::string& path, const char* bytes, int count, std::int64_t at);
    void note_truncate(const std::string& path, std::int64_t size);
    void note_flush(const std::string& path);
    bool takes(const std::string& path, std::int64_t end);
    std::int64_t note_open(const std::string& path);
    void forget(const std::string& path);
    sqlite3_vfs* real() noexcept { return real_; }

private:
    void moment();
    std::vector<char> after_cut(const content& of);

    std::mutex mutex_;
    std::string name_;
    sqlite3_vfs* real_;
    sqlite3_vfs own_{};
    std::map<std::string, content> files_;
    std::mt19937 random_{20261121};
    double share_ = 0;
    std::function<void(image)> on_cut_;
};

}  // namespace sluice::sqlite
