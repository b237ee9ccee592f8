package main

import (
	"context"
	"database/sql"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/tidelock/tidelock/cmd/tidelock/config/configtest"
	"github.com/tidelock/tidelock/internal/blob"
	"github.com/tidelock/tidelock/internal/redact"
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
//	rows FILE QUERY  prints what the query finds, a row a line
//	putblob DATA CLIENT KIND AGE  stores a file as a run does, that old, and has REF stand for it
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

			"rows":    scriptRows,
			"putblob": scriptPutBlob,
		},
	})
}

// detected are the scripts that run under the race detector.
var detected = map[string]bool{"plan_stop": true, "providers": true, "runner": true, "tools": true}

func scriptAppKey(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 1 {
		ts.Fatalf("usage: appkey FILE")
	}
	ts.Check(os.WriteFile(ts.MkAbs(args[0]), []byte(configtest.Key()), 0o600))
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

func scriptPutBlob(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 4 {
		ts.Fatalf("usage: putblob DATA CLIENT KIND AGE")
	}
	data := ts.MkAbs(args[0])
	key, err := os.ReadFile(filepath.Join(data, "encryption.key"))
	ts.Check(err)
	age, err := time.ParseDuration(args[3])
	ts.Check(err)
	s, err := blob.Open(filepath.Join(data, "blobs"), redact.NewSecret(string(key)))
	ts.Check(err)
	ref, _, err := s.Put(context.Background(), args[1], args[2], strings.NewReader("canary of a "+args[2]))
	ts.Check(err)
	ts.Check(s.Close())
	then := time.Now().Add(-age)
	ts.Check(os.Chtimes(filepath.Join(data, "blobs", args[1], ref), then, then))
	ts.Setenv("REF", ref)
}

func scriptRows(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 2 {
		ts.Fatalf("usage: rows FILE QUERY")
	}
	d, err := sql.Open("sqlite", ts.MkAbs(args[0]))
	ts.Check(err)
	defer d.Close()
	rows, err := d.Query(args[1])
	ts.Check(err)
	defer rows.Close()
	for rows.Next() {
		var line string
		ts.Check(rows.Scan(&line))
		_, err := fmt.Fprintln(ts.Stdout(), line)
		ts.Check(err)
	}
	ts.Check(rows.Err())
}
