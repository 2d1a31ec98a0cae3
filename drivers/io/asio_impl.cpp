// drivers/io/asio_impl.cpp: the one translation unit that compiles Asio itself.
#include <asio/impl/src.hpp>
