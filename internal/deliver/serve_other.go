//go:build !linux

package deliver

import "net"

// checkPeer knows no way to tell whose a connection is.
func checkPeer(net.Conn) error { return nil }
