package main

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"syscall"
)

// mostLogFiles is how many processes can log beside each other into one folder.
const mostLogFiles = 16

// errAllTaken: as many processes as there are names log there already.
var errAllTaken = errors.New("all log files are taken")

// logClaim is a log file that no other process writes to.
type logClaim struct {
	path string
	lock *os.File // nil: locks are not to be had there
}

// claimLog takes the first of ccm.log, ccm-2.log, ccm-3.log… that is free: two
// processes that rotate one file lose each other's lines. The lock ends with the
// process, however that ends. Where none is to be had, the file is used as it is.
func claimLog(path string) (logClaim, error) {
	for n := 1; n <= mostLogFiles; n++ {
		c := logClaim{path: numbered(path, n)}
		lock, err := os.OpenFile(c.path+".lock", os.O_RDWR|os.O_CREATE, 0o640)
		if err != nil {
			return c, nil // whether the file itself can be written is seen next
		}
		if err = flock(lock); err == nil {
			c.lock = lock
			return c, nil
		}
		if lock.Close(); !errors.Is(err, syscall.EWOULDBLOCK) {
			return c, nil
		}
	}
	return logClaim{}, errAllTaken
}

// numbered is the name of the n-th log file. The number stands where timberjack
// takes it for no date, so that none cleans up the old files of another.
func numbered(path string, n int) string {
	if n == 1 {
		return path
	}
	ext := filepath.Ext(path)
	return fmt.Sprintf("%s-%d%s", strings.TrimSuffix(path, ext), n, ext)
}

// free gives the file back.
func (c logClaim) free() {
	if c.lock != nil {
		_ = c.lock.Close() // nothing was written to it
	}
}
