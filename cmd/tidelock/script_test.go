package main

import (
	"database/sql"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"
)

// TestMain lets the scripts call tidelock: the test binary itself, under that
// name, runs the program. A server that runs so starts its runners by the
// binary's own path, which therefore must do too.
func TestMain(m *testing.M) {
	if dir, ok := runnerArgs(os.Args[1:]); ok {
		os.Exit(runRunner(dir))
	}
	testscript.Main(tidy{m}, map[string]func(){
		"tidelock": func() { os.Exit(mainExit()) },
	})
}

// TestScripts runs testdata/script/*.txtar: the whole program as a user calls
// it. Beside testscript's own commands a script has
//
//	appkey FILE      writes a private key as GitHub makes them
//	sql FILE QUERY   changes a SQLite database behind Tidelock's back
//
// Most scripts call the program as users have it. Under the race detector it
// takes ten times as long to start, and what these scripts call does one thing
// after another; what they call of the packages is tested there, with the
// detector, and TestDeskSaysWhatTheBotSays plans under it. The scripts in
// detected, where much happens at once, call the test binary and so run under
// the detector, where the tests do.
func TestScripts(t *testing.T) {
	plain, err := builtBinary()
	if err != nil {
		t.Fatal(err)
	}
	testscript.Run(t, testscript.Params{
		Dir:                 filepath.Join("..", "..", "testdata", "script"),
		UpdateScripts:       *update,
		RequireExplicitExec: true,
		RequireUniqueNames:  true,
		Setup: func(env *testscript.Env) error {
			if name := strings.TrimPrefix(filepath.Base(env.WorkDir), "script-"); !detected[name] {
				env.Setenv("PATH", filepath.Dir(plain)+string(filepath.ListSeparator)+env.Getenv("PATH"))
			}
			return nil
		},
		Cmds: map[string]func(ts *testscript.TestScript, neg bool, args []string){
			"appkey": scriptAppKey,
			"sql":    scriptSQL,
		},
	})
}

// detected are the scripts that run under the race detector.
var detected = map[string]bool{"plan_stop": true, "providers": true, "runner": true, "tools": true}

func scriptAppKey(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 1 {
		ts.Fatalf("usage: appkey FILE")
	}
	ts.Check(os.WriteFile(ts.MkAbs(args[0]), []byte(testKey()), 0o600))
}

func scriptSQL(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 2 {
		ts.Fatalf("usage: sql FILE QUERY")
	}
	d, err := sql.Open("sqlite", ts.MkAbs(args[0]))
	ts.Check(err)
	_, err = d.Exec(args[1])
	ts.Check(err)
	ts.Check(d.Close())
}
