// gateway/log/file_sink.cpp: where the logging thread writes: a file or standard error.
#include "gateway/log/file_sink.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <utility>

namespace sluice::gateway::log {

file_sink::file_sink(std::string path) : path_(std::move(path))
{
    fd_ = path_.empty() ? STDERR_FILENO : open_file();
    if (fd_ < 0)
        failure_ = "cannot write the log file " + path_ + ": " + std::strerror(errno);
}

file_sink::~file_sink()
{
    if (fd_ >= 0 && fd_ != STDERR_FILENO)
        ::close(fd_);
}

int file_sink::open_file()
{
    return ::open(path_.c_str(), O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0640);
}

void file_sink::sink_it_(const spdlog::details::log_msg& message)
{
    if (reopen_.exchange(false, std::memory_order_relaxed) && !path_.empty()) {
        // The old file stays in use when the new one cannot be opened.
        if (const int fresh = open_file(); fresh >= 0) {
            if (fd_ >= 0)
                ::close(fd_);
            fd_ = fresh;
        }
    }
    spdlog::memory_buf_t line;
    formatter_->format(message, line);
    const char* at = line.data();
    std::size_t left = line.size();
    while (left > 0) {
        const auto n = ::write(fd_, at, left);
        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            return;
        at += n;
        left -= static_cast<std::size_t>(n);
    }
}

}  // namespace sluice::gateway::log
