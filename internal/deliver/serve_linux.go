package deliver

import (
	"encoding/binary"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"os"
	"slices"

	"golang.org/x/sys/unix"
)

// PeersChecked says that an endpoint answers its own user alone.
const PeersChecked = true

// checkPeer returns an error unless the other end of a loopback connection is
// a socket of this user's or root's.
func checkPeer(c net.Conn) error {
	uid, err := peerUID(c.RemoteAddr().(*net.TCPAddr).AddrPort(), c.LocalAddr().(*net.TCPAddr).AddrPort())
	if err != nil {
		return fmt.Errorf("the system does not tell whose request this is (%w)", err)
	}
	if uid != 0 && uid != uint32(os.Geteuid()) {
		return errStranger{uid}
	}
	return nil
}

// Parts of the messages of sock_diag(7), of which golang.org/x/sys has no
// types: struct inet_diag_req_v2 and struct inet_diag_msg begin with four bytes
// and go on with a struct inet_diag_sockid.
const (
	socketIDLength  = 48
	diagRequestSize = unix.NLMSG_HDRLEN + 8 + socketIDLength
	diagAnswerSize  = unix.NLMSG_HDRLEN + 4 + socketIDLength + 5*4
)

// peerUID asks the kernel whose the TCP socket is that is bound to local and
// connected to remote, both of IPv4 and on this machine. Unlike /proc/net/tcp,
// which lists all sockets, it is asked for that one.
func peerUID(local, remote netip.AddrPort) (uint32, error) {
	s, err := unix.Socket(unix.AF_NETLINK, unix.SOCK_DGRAM|unix.SOCK_CLOEXEC, unix.NETLINK_INET_DIAG)
	if err != nil {
		return 0, os.NewSyscallError("socket", err)
	}
	defer unix.Close(s)
	if err := unix.Sendto(s, diagRequest(local, remote), 0, &unix.SockaddrNetlink{Family: unix.AF_NETLINK}); err != nil {
		return 0, os.NewSyscallError("sendto", err)
	}
	// The kernel has answered by the time that sendto returns.
	b := make([]byte, 1<<10)
	n, from, err := unix.Recvfrom(s, b, unix.MSG_DONTWAIT)
	if err != nil {
		return 0, os.NewSyscallError("recvfrom", err)
	}
	if kernel, ok := from.(*unix.SockaddrNetlink); !ok || kernel.Pid != 0 {
		return 0, errors.New("the answer is not the kernel's")
	}
	return diagAnswer(b[:n], local, remote)
}

// diagRequest asks for the one socket, in whatever state.
func diagRequest(local, remote netip.AddrPort) []byte {
	b := make([]byte, 0, diagRequestSize)
	b = binary.NativeEndian.AppendUint32(b, diagRequestSize)
	b = binary.NativeEndian.AppendUint16(b, unix.SOCK_DIAG_BY_FAMILY)
	b = binary.NativeEndian.AppendUint16(b, unix.NLM_F_REQUEST)
	b = append(b, make([]byte, 8)...) // sequence number, port
	b = append(b, unix.AF_INET, unix.IPPROTO_TCP, 0, 0)
	b = binary.NativeEndian.AppendUint32(b, ^uint32(0)) // states
	b = binary.BigEndian.AppendUint16(b, local.Port())
	b = binary.BigEndian.AppendUint16(b, remote.Port())
	for _, a := range []netip.Addr{local.Addr(), remote.Addr()} {
		ip := a.Unmap().As4()
		b = append(append(b, ip[:]...), make([]byte, 12)...)
	}
	b = binary.NativeEndian.AppendUint32(b, 0)             // interface
	return binary.NativeEndian.AppendUint64(b, ^uint64(0)) // no cookie
}

// diagAnswer reads the user out of the answer. It must be about the very
// socket: where there is none, the kernel tells of one that listens on the port.
// A socket that its process has closed belongs to nobody, which reads as root.
func diagAnswer(b []byte, local, remote netip.AddrPort) (uint32, error) {
	if len(b) >= unix.NLMSG_HDRLEN+4 && binary.NativeEndian.Uint16(b[4:]) == unix.NLMSG_ERROR {
		return 0, unix.Errno(-int32(binary.NativeEndian.Uint32(b[unix.NLMSG_HDRLEN:])))
	}
	if len(b) < diagAnswerSize || binary.NativeEndian.Uint16(b[4:]) != unix.SOCK_DIAG_BY_FAMILY {
		return 0, errors.New("an answer of another kind")
	}
	b = b[unix.NLMSG_HDRLEN:]
	family, id, rest := b[0], b[4:4+socketIDLength], b[4+socketIDLength:]
	address := func(b []byte) netip.Addr {
		if family == unix.AF_INET6 { // a socket of both families
			return netip.AddrFrom16([16]byte(b)).Unmap()
		}
		return netip.AddrFrom4([4]byte(b))
	}
	ends := []netip.AddrPort{
		netip.AddrPortFrom(address(id[4:]), binary.BigEndian.Uint16(id)),
		netip.AddrPortFrom(address(id[20:]), binary.BigEndian.Uint16(id[2:])),
	}
	uid, inode := binary.NativeEndian.Uint32(rest[12:]), binary.NativeEndian.Uint32(rest[16:])
	if inode == 0 || !slices.Equal(ends, []netip.AddrPort{local, remote}) {
		return 0, errors.New("the connection is closed already")
	}
	return uid, nil
}
