// Sockets of the kernel's and the internet's families, whose addresses Swift cannot lay out. Included by CLinux.h.
#pragma once

#include <stdint.h>
#include <sys/types.h>

/// A netlink(7) socket of a protocol, bound, close-on-exec, with extended acknowledgements and strict dumps.
int gantry_netlink_open(int protocol);
/// NETLINK_ADD_MEMBERSHIP: the socket is told what a group is told.
int gantry_netlink_join(int socket, int group);
/// recv(2) of one datagram; its whole length even where `capacity` is shorter.
ssize_t gantry_netlink_receive(int socket, void *buffer, size_t capacity);

/// socket(2), close-on-exec and non-blocking, of AF_INET or AF_INET6; version 6 alone where `address_length` is 16.
int gantry_inet_socket(int address_length, int type, int protocol);
/// bind(2) and connect(2) with an address of 4 or 16 bytes in the network's order.
int gantry_inet_bind(int socket, const uint8_t *address, int address_length, uint16_t port);
int gantry_inet_connect(int socket, const uint8_t *address, int address_length, uint16_t port);
/// sendmsg(2) to such an address; from `local`, which is of the same family, where that is not null, and by a device where
/// `interface` is not 0.
ssize_t gantry_inet_send_to(
    int socket, const void *data, size_t count, const uint8_t *address, int address_length, uint16_t port,
    const uint8_t *local, uint32_t interface);
/// IP_PKTINFO or IPV6_RECVPKTINFO: of what is received from now on it is told to which address it was sent.
int gantry_inet_tell_local(int socket);
/// recvmsg(2): stores who sent it; `address_length` becomes 4 or 16. And to which address, by which device: zeros where
/// that is not told.
ssize_t gantry_inet_receive_from(
    int socket, void *data, size_t capacity, uint8_t address[16], int *address_length, uint16_t *port,
    uint8_t local[16], uint32_t *interface);
/// getsockname(2): the port, or -1.
int gantry_inet_port(int socket);
/// SO_ERROR, cleared: what became of a connection; -1 where that cannot be read.
int gantry_socket_error(int socket);
