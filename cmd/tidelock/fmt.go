package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"
	"github.com/hashicorp/hcl/v2/hclwrite"
	"github.com/spf13/cobra"

	"github.com/tidelock/tidelock/internal/errs"
	"github.com/tidelock/tidelock/planner"
	"github.com/tidelock/tidelock/planner/tfrun"
)

// exitUnformatted is the exit code of `tidelock fmt --check` where a file is
// not in its form, as `terraform fmt -check` has it.
const exitUnformatted = 3

// formatted is the answer of `tidelock fmt --json`.
type formatted struct {
	OK    bool            `json:"ok"`    // every file is in its form
	By    string          `json:"by"`    // what knows the form of Terraform's files: "Terraform 1.11.4", "hclwrite"
	Files []formattedFile `json:"files"` // that are, or were, not in their form, or can't be read
}

type formattedFile struct {
	Path    string `json:"path"` // relative to the folder
	Diff    string `json:"diff,omitempty"`
	Problem string `json:"problem,omitempty"` // why it can't be formatted
}

// newFmtCommand returns `tidelock fmt`.
func newFmtCommand(p *program) *cobra.Command {
	var check, diff, asJSON bool
	cmd := &cobra.Command{
		Use:   "fmt [DIR]",
		Short: "Bring tidelock.hcl and Terraform's files into their usual form",
		Long: "Rewrites the files below DIR, the working directory where none is named, in their usual form: tidelock.hcl,\n" +
			"tidelock-server.hcl, and Terraform's and OpenTofu's files with their variables and tests. Hidden folders are\n" +
			"passed over. With --check nothing is written, and the files are named that are not in their form.\n\n" +
			"Terraform's files are formatted by the terraform or tofu on PATH. Where there is none, by the library that both\n" +
			"are made with, which leaves a few things alone that they tidy up, such as quotes around types; the answer says so.\n\n" +
			"Exit codes: 0 every file is in its form now; 1 a file can't be read; 3 with --check: a file is not in its form.",
		Example:           "  tidelock fmt\n  tidelock fmt --check --diff infra",
		Args:              cobra.MaximumNArgs(1),
		ValidArgsFunction: completeFolder,
		RunE: func(cmd *cobra.Command, args []string) error {
			dir := folderOf(args)
			f := formatter{dir: dir, write: !check, diff: diff}
			out, err := f.run(cmd.Context())
			if err != nil {
				return err
			}
			if asJSON {
				err = writeJSON(p.stdout, out)
			} else {
				err = out.print(p.stdout, p.stderr)
			}
			if err != nil {
				return err
			}
			return out.exit(check)
		},
	}
	cmd.Flags().BoolVar(&check, "check", false, "write nothing, and end with 3 where a file is not in its form")
	cmd.Flags().BoolVar(&diff, "diff", false, "show what differs")
	cmd.Flags().BoolVar(&asJSON, "json", false, "print the answer as JSON")
	return cmd
}

// exit is the error whose code says how it went.
func (f formatted) exit(check bool) error {
	problems := 0
	for _, file := range f.Files {
		if file.Problem != "" {
			problems++
		}
	}
	switch {
	case problems > 0:
		return told(errs.New(errs.Invalid, "%s can't be formatted.", counted(problems, "file")))
	case check && len(f.Files) > 0:
		return codedError{told(errs.New(errs.Invalid, "%s not in its form.", counted(len(f.Files), "file"))), exitUnformatted}
	}
	return nil
}

// print names the files on standard output, one a line, and what is wrong on
// standard error.
func (f formatted) print(stdout, stderr io.Writer) error {
	for _, file := range f.Files {
		if file.Problem != "" {
			fmt.Fprintf(stderr, "%s: %s\n", file.Path, file.Problem)
			continue
		}
		if _, err := fmt.Fprintf(stdout, "%s\n%s", file.Path, file.Diff); err != nil {
			return err
		}
	}
	if f.By == byLibrary {
		fmt.Fprintln(stderr, "note: neither terraform nor tofu is on PATH: Terraform's files were held against the HCL library's form.")
	}
	return nil
}

// formatter is one run of `tidelock fmt`.
type formatter struct {
	dir   string
	write bool
	diff  bool
}

const byLibrary = "hclwrite"

func (f formatter) run(ctx context.Context) (formatted, error) {
	out := formatted{By: byLibrary, Files: []formattedFile{}}
	own, code, err := f.find()
	if err != nil {
		return out, err
	}
	tool, err := tfrun.FindBinary(ctx, "")
	switch {
	case err == nil:
		out.By = tool.Tool + " " + tool.Version
	case !errs.Is(err, errs.NotFound):
		return out, err
	}
	listed := map[string]bool{}
	if out.By != byLibrary {
		if listed, err = f.listByTool(ctx, tool.Path); err != nil {
			return out, err
		}
	}
	for _, name := range append(own, code...) {
		src, err := os.ReadFile(filepath.Join(f.dir, name))
		if err != nil {
			return out, fmt.Errorf("read %s: %w", name, err)
		}
		text, problem := formatByLibrary(src, name)
		if problem == "" && out.By != byLibrary && slices.Contains(code, name) {
			text = src
			if listed[name] {
				if text, err = formatByTool(ctx, tool.Path, src); err != nil {
					return out, fmt.Errorf("format %s: %w", name, err)
				}
			}
		}
		file := formattedFile{Path: filepath.ToSlash(name), Problem: problem}
		switch {
		case problem != "":
		case bytes.Equal(src, text):
			continue
		case f.write:
			if err := replaceContent(filepath.Join(f.dir, name), text); err != nil {
				return out, fmt.Errorf("write %s: %w", name, err)
			}
		}
		if f.diff && problem == "" {
			if file.Diff, err = diffOf(ctx, filepath.ToSlash(name), src, text); err != nil {
				return out, err
			}
		}
		out.Files = append(out.Files, file)
	}
	out.OK = len(out.Files) == 0
	return out, nil
}

// ownFiles are Tidelock's own files.
var ownFiles = []string{planner.ConfigFile, "tidelock-server.hcl"}

// codeEndings are those of the files that terraform fmt and tofu fmt format.
var codeEndings = []string{".tf", ".tfvars", ".tftest.hcl", ".tfmock.hcl", ".tofu", ".tofutest.hcl"}

// find lists Tidelock's own files and Terraform's, relative to the folder.
func (f formatter) find() (own, code []string, err error) {
	if info, err := os.Stat(f.dir); err != nil || !info.IsDir() {
		return nil, nil, errs.New(errs.NotFound, "There is no folder %s.", f.dir)
	}
	err = fs.WalkDir(os.DirFS(f.dir), ".", func(name string, d fs.DirEntry, err error) error {
		base := d.Name()
		switch {
		case err != nil:
			return err
		case d.IsDir() && name != "." && strings.HasPrefix(base, "."):
			return fs.SkipDir
		case !d.Type().IsRegular():
		case slices.Contains(ownFiles, base):
			own = append(own, filepath.FromSlash(name))
		case slices.ContainsFunc(codeEndings, func(end string) bool { return strings.HasSuffix(base, end) && !strings.HasPrefix(base, ".") }):
			code = append(code, filepath.FromSlash(name))
		}
		return nil
	})
	return own, code, err
}

// formatByLibrary formats HCL. The problem says where it is not valid.
func formatByLibrary(src []byte, name string) (text []byte, problem string) {
	if _, diags := hclsyntax.ParseConfig(src, filepath.ToSlash(name), hcl.InitialPos); diags.HasErrors() {
		d := diags.Errs()[0]
		return nil, strings.TrimPrefix(d.Error(), filepath.ToSlash(name)+":")
	}
	return hclwrite.Format(src), ""
}

// listByTool asks terraform or tofu once which files are not in their form: a
// process for each file would take minutes in a large repository.
func (f formatter) listByTool(ctx context.Context, binary string) (map[string]bool, error) {
	cmd := fmtCommand(ctx, binary, "-list=true", "-write=false", "-recursive")
	cmd.Dir = f.dir
	out, err := cmd.Output()
	var exit *exec.ExitError
	if err != nil && (!errors.As(err, &exit) || ctx.Err() != nil) { // else a file can't be read, which others say
		return nil, fmt.Errorf("ask %s which files it would format: %w", binary, err)
	}
	listed := map[string]bool{}
	for name := range strings.Lines(string(out)) {
		listed[filepath.Clean(strings.TrimRight(name, "\r\n"))] = true
	}
	return listed, nil
}

// formatByTool has terraform or tofu format a file.
func formatByTool(ctx context.Context, binary string, src []byte) ([]byte, error) {
	cmd := fmtCommand(ctx, binary, "-")
	cmd.Dir, cmd.Stdin = os.TempDir(), bytes.NewReader(src)
	return cmd.Output()
}

// fmtCommand formats by terraform or tofu, which run no code for it and need
// nothing of the environment.
func fmtCommand(ctx context.Context, binary string, args ...string) *exec.Cmd {
	cmd := exec.CommandContext(ctx, binary, append([]string{"fmt", "-no-color"}, args...)...)
	cmd.Env = []string{"HOME=" + os.TempDir(), "PATH=" + filepath.Dir(binary), "TF_CLI_CONFIG_FILE=" + os.DevNull, "CHECKPOINT_DISABLE=1"}
	return cmd
}

// replaceContent writes a file anew and keeps its mode.
func replaceContent(path string, text []byte) error {
	info, err := os.Stat(path)
	if err != nil {
		return err
	}
	return os.WriteFile(path, text, info.Mode().Perm())
}

// diffOf shows what differs, as git does.
func diffOf(ctx context.Context, name string, before, after []byte) (string, error) {
	dir, err := os.MkdirTemp("", "tidelock-fmt-")
	if err != nil {
		return "", fmt.Errorf("compare %s: %w", name, err)
	}
	defer os.RemoveAll(dir)
	for file, text := range map[string][]byte{"before": before, "after": after} {
		if err := os.WriteFile(filepath.Join(dir, file), text, 0o600); err != nil {
			return "", fmt.Errorf("compare %s: %w", name, err)
		}
	}
	cmd := exec.CommandContext(ctx, "git", "diff", "--no-index", "--no-color", "--no-ext-diff", "before", "after")
	cmd.Dir = dir
	out, err := cmd.Output()
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		return "", errs.Wrap(errs.Unavailable, err, "The program git is not there, which --diff needs.")
	}
	// git names the files that it was given; the hunks are what is asked for.
	_, hunks, _ := strings.Cut(string(out), "\n@@")
	return "--- " + name + "\n+++ " + name + "\n@@" + hunks, nil
}
