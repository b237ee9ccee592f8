// Command testreport reads the events of go test -json from standard input and
// tells a person how the tests go: a line for each package as it ends, the
// output of what failed, signs of life when nothing ends for a while, and at
// the end what was skipped and why. It exits with 1 when anything failed, or
// when there was no test at all.
//
//	go test -json ./... | go run ./internal/tools/testreport
//
// It judges nothing that go test did not: a test counts as skipped when it
// said so itself. Arguments are printed with the closing lines, for what the
// caller left out.
package main

import (
	"bufio"
	"io"
	"os"
	"time"
)

func main() {
	lines, done := make(chan []byte), make(chan error, 1)
	go func() {
		defer close(lines)
		done <- read(os.Stdin, lines)
	}()
	r := newReport(os.Stdout)
	quiet := time.NewTicker(20 * time.Second)
	defer quiet.Stop()
	for open := true; open; {
		select {
		case line, more := <-lines:
			if open = more; more && r.line(line) {
				quiet.Reset(20 * time.Second)
			}
		case <-quiet.C:
			r.stillRunning()
		}
	}
	if err := <-done; err != nil {
		r.fault(err)
	}
	os.Exit(r.close(os.Args[1:]))
}

// read sends the lines of r, of any length.
func read(r io.Reader, lines chan<- []byte) error {
	in := bufio.NewReader(r)
	for {
		line, err := in.ReadBytes('\n')
		if len(line) > 0 {
			lines <- line
		}
		if err == io.EOF {
			return nil
		}
		if err != nil {
			return err
		}
	}
}
