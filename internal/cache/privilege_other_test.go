//go:build unix && !linux

package cache

import "testing"

// withoutPrivilege runs f. The tests are not run by root here.
func withoutPrivilege(_ *testing.T, f func()) { f() }
