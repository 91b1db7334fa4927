//go:build !unix || solaris || illumos || aix

package main

import (
	"os"
	"syscall"
)

// flock is not to be had here: two processes need a LOG_FILE_PATH each.
func flock(*os.File) error { return syscall.ENOTSUP }
