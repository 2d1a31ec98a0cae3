// drivers/pg/backend_key.hpp: learns the secret of BackendKeyData while libpq logs in.
//
// Layer: drivers. libpq 15 keeps the secret to itself and cancels only by PQcancel, which blocks;
// a server that stalls would then take one helper thread per cancel. libpq's message trace shows
// it, so the login is traced into a sink that forgets every other line.
#pragma once

#include <cstdint>
#include <cstdio>
#include <memory>
#include <optional>
#include <string>

#include "drivers/pg/libpq.hpp"

namespace sluice::pg {

class backend_key {
public:
    backend_key();
    backend_key(const backend_key&) = delete;
    backend_key& operator=(const backend_key&) = delete;

    // Listens to `conn`, which ends before *this or is given to take().
    void watch(PGconn& conn);
    // Stops listening. Nothing when the trace did not show a key for this backend's pid.
    std::optional<std::uint32_t> take(PGconn& conn);

private:
    static ssize_t write(void* self, const char* text, std::size_t size);
    void line_ended();

    struct file_close {
        void operator()(std::FILE* file) const noexcept { std::fclose(file); }
    };
    std::string line_;
    long pid_ = 0;
    std::optional<std::uint32_t> key_;
    std::unique_ptr<std::FILE, file_close> sink_;  // last: its closing still writes
};

}  // namespace sluice::pg
