package main

import (
	"bufio"
	"bytes"
	"context"
	"fmt"
	"os/exec"
	"regexp"
	"strconv"
	"strings"
)

// microRooms are the rooms whose own benchmarks are of interest here.
var microRooms = []string{"./internal/policy", "./internal/cost", "./internal/blob", "./planner/tfplan"}

var benchLine = regexp.MustCompile(`^Benchmark(\S+?)(?:-\d+)?\s+\d+\s+([0-9.]+) ns/op`)

// benchMicro runs the Go benchmarks, briefly: they are for whoever works on a
// room, and here to be seen next to the rest.
func benchMicro(ctx context.Context, b *bench) error {
	for _, room := range microRooms {
		fmt.Printf("  %s …\n", room)
		cmd := exec.CommandContext(ctx, "go", "test", "-run", "^$", "-bench", ".", "-benchtime", "100ms", room)
		cmd.Dir = b.tools.source
		out, err := cmd.CombinedOutput()
		if err != nil {
			return fmt.Errorf("%s: %w\n%s", room, err, out)
		}
		lines := bufio.NewScanner(bytes.NewReader(out))
		for lines.Scan() {
			m := benchLine.FindStringSubmatch(lines.Text())
			if m == nil {
				continue
			}
			ns, err := strconv.ParseFloat(m[2], 64)
			if err != nil {
				return fmt.Errorf("%s: %w", lines.Text(), err)
			}
			if err := b.note(strings.TrimPrefix(strings.TrimPrefix(room, "./"), "internal/")+": "+m[1], ns/1e6, "ms"); err != nil {
				return err
			}
		}
	}
	return nil
}
