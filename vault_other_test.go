//go:build unix && !linux

package main

import "errors"

func vault() { fatal(errors.New("there is no Secret Service here")) }
