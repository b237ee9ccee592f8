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

// goBench is a Go benchmark whose figures are rows here.
type goBench struct {
	room, name, rounds string
	targets            map[string]float64 // ms, by the last part of the name
}

var (
	nsPerOp   = regexp.MustCompile(`\s([0-9.]+) ns/op`)
	megabytes = regexp.MustCompile(`\s([0-9.]+) (kept|peak)-MB`)
)

// benchGo runs a Go benchmark in a process of its own, and takes over its
// times and what it says of memory.
func benchGo(g goBench) func(ctx context.Context, b *bench) error {
	return func(ctx context.Context, b *bench) error {
		cmd := exec.CommandContext(ctx, "go", "test", "-timeout", "30m", "-run", "^$", "-bench", "^Benchmark"+g.name+"$", "-benchtime", g.rounds, g.room)
		cmd.Dir = b.tools.source
		out, err := cmd.CombinedOutput()
		if err != nil {
			return fmt.Errorf("%s: %w\n%s", g.room, err, out)
		}
		found := 0
		lines := bufio.NewScanner(bytes.NewReader(out))
		for lines.Scan() {
			name, rest, ok := strings.Cut(lines.Text(), "\t")
			name, is := strings.CutPrefix(name, "Benchmark"+g.name+"/")
			m := nsPerOp.FindStringSubmatch(rest)
			if !ok || !is || m == nil {
				continue
			}
			found++
			name = strings.TrimSpace(name)
			if i := strings.LastIndexByte(name, '-'); i > 0 {
				if _, err := strconv.Atoi(name[i+1:]); err == nil {
					name = name[:i] // how many processors
				}
			}
			ns, err := strconv.ParseFloat(m[1], 64)
			if err != nil {
				return fmt.Errorf("%s: %w", lines.Text(), err)
			}
			row := strings.ToLower(g.name) + ": " + name
			if target, ok := g.targets[name]; ok {
				err = b.aim(row, ns/1e6, "ms", target)
			} else {
				err = b.note(row, ns/1e6, "ms")
			}
			if err != nil {
				return err
			}
			for _, m := range megabytes.FindAllStringSubmatch(rest, -1) {
				mb, err := strconv.ParseFloat(m[1], 64)
				if err != nil {
					return fmt.Errorf("%s: %w", lines.Text(), err)
				}
				if err := b.note(row+", memory "+m[2], mb, "MB"); err != nil {
					return err
				}
			}
		}
		if found == 0 {
			return fmt.Errorf("%s: no benchmark %s ran, perhaps because git is not there:\n%s", g.room, g.name, out)
		}
		return nil
	}
}
