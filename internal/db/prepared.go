package db

import (
	"context"
	"database/sql/driver"
	"errors"
	"io"
	"regexp"

	"modernc.org/sqlite"
)

// The driver parses and plans a statement each time that it runs, which took a
// third of the server's processor time under a flood of webhooks: River's
// statements are long, and ours are few and always the same. So each
// connection keeps the statements that it has prepared.

// maxPrepared bounds what a connection keeps. The program has about 150
// statements; one whose text varies must not fill memory.
const maxPrepared = 256

// sqliteConnector opens SQLite connections that keep their statements, and call
// ran, where it is not nil, before each, and failed with what one ended in.
func sqliteConnector(dsn string, ran func(), failed func(error)) (driver.Connector, error) {
	c, err := sqlite.NewConnector(dsn)
	if err != nil {
		return nil, err
	}
	return preparing{c, ran, failed}, nil
}

type preparing struct {
	driver.Connector
	ran    func()
	failed func(error)
}

// sqliteConn is what the driver's connections are.
type sqliteConn interface {
	driver.Conn
	driver.ConnPrepareContext
	driver.ConnBeginTx
	driver.ExecerContext
	driver.QueryerContext
	driver.Pinger
	driver.SessionResetter
	driver.Validator
}

// Connect implements driver.Connector.
func (p preparing) Connect(ctx context.Context) (driver.Conn, error) {
	c, err := p.Connector.Connect(ctx)
	if err != nil {
		return nil, err
	}
	return &preparedConn{sqliteConn: c.(sqliteConn), stmts: map[string]*prepared{}, ran: p.ran, failed: p.failed}, nil
}

// preparedConn is a connection with the statements that it keeps. database/sql
// lets one goroutine at a time use it and the rows that come of it.
type preparedConn struct {
	sqliteConn
	stmts  map[string]*prepared
	ran    func()
	failed func(error)
}

type prepared struct {
	stmt preparedStmt
	busy bool // rows are open on it: it can't run a second time meanwhile
}

type preparedStmt interface {
	driver.Stmt
	driver.StmtExecContext
	driver.StmtQueryContext
}

// limit is a parameter that stands by itself behind LIMIT.
var limit = regexp.MustCompile(`(?i)\blimit\s+([?$][0-9]+)`)

// steady keeps SQLite from planning a statement anew each time that such a
// parameter has another value than before, which it does since a small one may
// be worth another plan. River's lanes have a limit each and share a statement.
func steady(query string) string { return limit.ReplaceAllString(query, "LIMIT (${1} + 0)") }

// take returns the statement of the text, prepared now if need be; nil where
// it can't be kept and must be run without.
func (c *preparedConn) take(ctx context.Context, query string) (*prepared, error) {
	if c.ran != nil {
		c.ran()
	}
	if p := c.stmts[query]; p != nil {
		if p.busy {
			return nil, nil
		}
		return p, nil
	}
	s, err := c.PrepareContext(ctx, steady(query))
	if err != nil {
		return nil, c.tell(err)
	}
	if len(c.stmts) >= maxPrepared {
		for text, p := range c.stmts {
			if !p.busy {
				c.drop(text, p)
			}
		}
	}
	p := &prepared{stmt: s.(preparedStmt)}
	c.stmts[query] = p
	return p, nil
}

// tell passes on what a statement ended in, and returns it.
func (c *preparedConn) tell(err error) error {
	if err != nil && c.failed != nil {
		c.failed(err)
	}
	return err
}

func (c *preparedConn) drop(query string, p *prepared) {
	delete(c.stmts, query)
	_ = p.stmt.Close() // says again what its last run said
}

// ExecContext implements driver.ExecerContext. A statement that failed is not
// kept: the next one starts with nothing of it.
func (c *preparedConn) ExecContext(ctx context.Context, query string, args []driver.NamedValue) (driver.Result, error) {
	p, err := c.take(ctx, query)
	if err != nil {
		return nil, err
	}
	if p == nil {
		res, err := c.sqliteConn.ExecContext(ctx, query, args)
		return res, c.tell(err)
	}
	res, err := p.stmt.ExecContext(ctx, args)
	if err != nil {
		c.drop(query, p)
	}
	return res, c.tell(err)
}

// QueryContext implements driver.QueryerContext.
func (c *preparedConn) QueryContext(ctx context.Context, query string, args []driver.NamedValue) (driver.Rows, error) {
	p, err := c.take(ctx, query)
	if err != nil {
		return nil, err
	}
	if p == nil {
		rows, err := c.sqliteConn.QueryContext(ctx, query, args)
		return rows, c.tell(err)
	}
	rows, err := p.stmt.QueryContext(ctx, args)
	if err != nil {
		c.drop(query, p)
		return nil, c.tell(err)
	}
	p.busy = true
	return &preparedRows{rows, c, query, p}, nil
}

// Close implements driver.Conn.
func (c *preparedConn) Close() error {
	for text, p := range c.stmts {
		if !p.busy { // else its rows' end is still to come
			c.drop(text, p)
		}
	}
	return c.sqliteConn.Close()
}

// preparedRows gives the statement back when they are closed. What the driver
// knows of the columns beyond their names is left out: nobody here asks.
type preparedRows struct {
	driver.Rows
	conn  *preparedConn
	query string
	of    *prepared
}

// Next implements driver.Rows.
func (r *preparedRows) Next(row []driver.Value) error {
	err := r.Rows.Next(row)
	if err != nil && !errors.Is(err, io.EOF) {
		return r.conn.tell(err)
	}
	return err
}

// Close implements driver.Rows.
func (r *preparedRows) Close() error {
	err := r.Rows.Close() // resets the statement
	r.of.busy = false
	if err != nil {
		r.conn.drop(r.query, r.of)
	}
	return err
}
