package main

import (
	"context"
	"log/slog"
	"strings"

	"github.com/tidelock/tidelock/cmd/tidelock/config"
	"github.com/tidelock/tidelock/cmd/tidelock/parts"
	"github.com/tidelock/tidelock/internal/binaries"
	"github.com/tidelock/tidelock/internal/errs"
	"github.com/tidelock/tidelock/planner"
)

// toolFound is which tool a project would be run with on this machine.
type toolFound struct {
	Tool    string `json:"tool,omitempty"`
	Version string `json:"version,omitempty"`
	Path    string `json:"path,omitempty"`    // "" where it would have to be downloaded
	Source  string `json:"source,omitempty"`  // see binaries.Choice
	Problem string `json:"problem,omitempty"` // why there is none
}

// findTools finds out for each project which tool it would be run with, by the
// server's configuration as far as that is here.
func (p *program) findTools(ctx context.Context, projects []listedProject) error {
	l := config.Read(p.configPath, p.environ, config.NeedNothing)
	if err := l.Problems.Err(); err != nil {
		return err
	}
	o, err := parts.ToolsOptions(ctx, l.Config)
	if err != nil {
		return err
	}
	o.Log = slog.New(slog.DiscardHandler)
	store := binaries.Open(o)
	for i := range projects {
		found := &toolFound{}
		c, err := store.Choose(ctx, projects[i].Tool, false) // the network is not asked
		switch {
		case ctx.Err() != nil:
			return ctx.Err()
		case err != nil:
			found.Problem = errs.Sentence(err)
		default:
			*found = toolFound{Tool: c.Name, Version: c.Version, Path: c.Path, Source: c.Source}
		}
		projects[i].RunsWith = found
	}
	return nil
}

// writeTools says which tool each project asks for, where any does, or which it
// would get, where that was asked.
func (l listed) writeTools(out *strings.Builder) {
	asked := false
	for _, p := range l.Projects {
		asked = asked || p.RunsWith != nil || p.Tool.Name != "" || len(p.Tool.Needs) > 0
	}
	if !asked {
		return
	}
	out.WriteString("\nWhat runs them:\n\n")
	t := newTable()
	for _, p := range l.Projects {
		wants := "the server's own"
		if p.Tool.Name != "" || len(p.Tool.Needs) > 0 {
			wants = p.Tool.String()
		}
		switch f := p.RunsWith; {
		case f == nil:
			t.row(p.Name, wants)
		case f.Problem != "":
			t.row(p.Name, "none", f.Problem)
		default:
			t.row(p.Name, planner.ToolTitle(f.Tool)+" "+f.Version, f.Source, "asked for: "+wants)
		}
	}
	_ = t.write(out)
}
