//go:build !linux

package tfrun

import "io/fs"

// kernelStamp knows no file here, so that init runs each time.
func kernelStamp(fs.FileInfo) (string, bool) { return "", false }
