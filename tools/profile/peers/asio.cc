// SPDX-License-Identifier: MIT
//
// The server as one writes it with Boost.Asio in C++17: a session is an object that its own pending
// operations keep alive, one thread runs the context, and completion handlers are lambdas.
//
// Usage: see peer_read_options. SIGTERM ends it.

#include <unistd.h>

#include <array>
#include <boost/asio.hpp>
#include <cstdio>
#include <deque>
#include <memory>
#include <set>
#include <string>

#include "tools/profile/peers/peer.h"

namespace asio = boost::asio;
using error_code = boost::system::error_code;

static peer_options options;

template <typename Protocol> class Server;

template <typename Protocol> class Session : public std::enable_shared_from_this<Session<Protocol>>
{
  public:
    using Socket = typename Protocol::socket;
    using Message = std::shared_ptr<const std::string>;

    Session(Socket socket, Server<Protocol> &server) : socket_(std::move(socket)), server_(server)
    {
    }

    ~Session()
    {
        peer_bytes_free(&request_.bytes);
        peer_bytes_free(&answer_);
    }

    Session(const Session &) = delete;
    Session &operator=(const Session &) = delete;

    void start()
    {
        receive();
    }

    // Of fan-out: in turn, and only as long as this one reads what it gets.
    void queue(const Message &message)
    {
        queued_bytes_ += message->size();
        if (queued_bytes_ > PEER_UNSENT_BYTES_MAX) {
            close();
            return;
        }
        queued_.push_back(message);
        if (queued_.size() == 1)
            send_queued();
    }

  private:
    void receive()
    {
        socket_.async_read_some(asio::buffer(buffer_), [this, self = this->shared_from_this()](
                                                           error_code error, std::size_t count) {
            if (!error)
                answer(count);
            else if (error != asio::error::eof || queued_.empty())
                close();
            else
                server_.leave(self);
        });
    }

    void answer(std::size_t count)
    {
        if (peer_echoes(&options)) {
            if (options.mode == PEER_COMPUTE)
                peer_compute();
            send(buffer_.data(), count);
            return;
        }
        answer_.count = 0;
        peer_answer(&options, &request_, buffer_.data(), count, &answer_);
        if (options.mode == PEER_RR && answer_.count > 0) {
            send(answer_.data, answer_.count);
            return;
        }
        if (answer_.count > 0)
            server_.send_to_everybody(answer_);
        if (socket_.is_open())
            receive();
    }

    void send(const unsigned char *data, std::size_t count)
    {
        asio::async_write(socket_, asio::buffer(data, count),
                          [this, self = this->shared_from_this()](error_code error, std::size_t) {
                              if (error)
                                  close();
                              else
                                  receive();
                          });
    }

    void send_queued()
    {
        asio::async_write(socket_, asio::buffer(*queued_.front()),
                          [this, self = this->shared_from_this()](error_code error, std::size_t) {
                              if (error) {
                                  close();
                                  return;
                              }
                              queued_bytes_ -= queued_.front()->size();
                              queued_.pop_front();
                              if (!queued_.empty())
                                  send_queued();
                          });
    }

    // Ends what is pending; the last handler to return frees the session.
    void close()
    {
        error_code ignored;
        socket_.close(ignored);
        server_.leave(this->shared_from_this());
    }

    Socket socket_;
    Server<Protocol> &server_;
    std::array<unsigned char, PEER_BUFFER_BYTES> buffer_;
    peer_request request_{};
    peer_bytes answer_{};
    std::deque<Message> queued_;
    std::size_t queued_bytes_ = 0;
};

template <typename Protocol> class Server
{
  public:
    using SessionPointer = std::shared_ptr<Session<Protocol>>;

    Server(asio::io_context &context, const typename Protocol::endpoint &endpoint)
        : acceptor_(context, endpoint.protocol())
    {
        if (options.unix_path == nullptr)
            acceptor_.set_option(asio::socket_base::reuse_address(true));
        acceptor_.bind(endpoint);
        acceptor_.listen(PEER_BACKLOG);
        accept();
    }

    int native_handle()
    {
        return acceptor_.native_handle();
    }

    void leave(const SessionPointer &session)
    {
        sessions_.erase(session);
    }

    void send_to_everybody(const peer_bytes &bytes)
    {
        auto message = std::make_shared<const std::string>(
            reinterpret_cast<const char *>(bytes.data), bytes.count);
        // Who is dropped takes itself out of the set.
        for (auto next = sessions_.begin(); next != sessions_.end();) {
            SessionPointer session = *next++;
            session->queue(message);
        }
    }

  private:
    void accept()
    {
        acceptor_.async_accept([this](error_code error, typename Protocol::socket socket) {
            if (!error) {
                peer_set_nodelay(&options, socket.native_handle());
                auto session = std::make_shared<Session<Protocol>>(std::move(socket), *this);
                if (options.mode == PEER_FAN_OUT)
                    sessions_.insert(session);
                session->start();
            }
            accept();
        });
    }

    typename Protocol::acceptor acceptor_;
    std::set<SessionPointer> sessions_;
};

template <typename Protocol>
static void serve(asio::io_context &context, const typename Protocol::endpoint &endpoint)
{
    char version[PEER_VERSION_BYTES];
    Server<Protocol> server(context, endpoint);
    std::snprintf(version, sizeof(version), "asio %d.%d.%d, Boost %s", BOOST_ASIO_VERSION / 100000,
                  BOOST_ASIO_VERSION / 100 % 1000, BOOST_ASIO_VERSION % 100, BOOST_LIB_VERSION);
    peer_announce(&options, server.native_handle(), version);
    context.run();
}

int main(int argc, char *argv[])
{
    peer_read_options(argc, argv, "asio", 0, 0, &options);
    try {
        // One thread will run it, which saves the locks.
        asio::io_context context(1);
        if (options.unix_path != nullptr) {
            unlink(options.unix_path);
            serve<asio::local::stream_protocol>(context, options.unix_path);
        } else {
            asio::ip::tcp::endpoint endpoint(asio::ip::address_v4::loopback(), options.port);
            serve<asio::ip::tcp>(context, endpoint);
        }
    } catch (const boost::system::system_error &error) {
        peer_fail(&options, error.what(), error.code().value());
    }
    return 1;
}
