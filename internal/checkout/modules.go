package checkout

import (
	"strings"

	"github.com/tidelock/tidelock/internal/errs"
)

// ModulesFile is where a repository says what its submodules are.
const ModulesFile = ".gitmodules"

// module is what it says of one.
type module struct {
	path string
	url  string
	skip bool // update = none: Git itself leaves it out
	line int  // of its address, 0 where it has none
}

// maxModulesFile bounds the bytes of the file that are read.
const maxModulesFile = 1 << 20

// parseModules reads a .gitmodules, which is written as Git's configuration is,
// and returns the submodules by path. As in Git, what is said last holds.
func parseModules(text string) (map[string]module, error) {
	if len(text) > maxModulesFile {
		return nil, errs.New(errs.TooLarge, "The file %s is larger than %d MiB.", ModulesFile, maxModulesFile>>20)
	}
	p := configReader{rest: text, line: 1}
	byName := map[string]*module{}
	var names []string
	var now *module
	for {
		p.blanks()
		line := p.line
		switch c, ok := p.peek(); {
		case !ok:
			out := map[string]module{}
			for _, name := range names {
				if m := byName[name]; m.path != "" {
					out[strings.TrimSuffix(m.path, "/")] = *m
				}
			}
			return out, nil
		case c == '[':
			section, name, ok := p.header()
			if !ok {
				return nil, badLine(line)
			}
			now = nil
			if section == "submodule" && name != "" {
				if now = byName[name]; now == nil {
					now = &module{}
					byName[name] = now
					names = append(names, name)
				}
			}
		default:
			key, value, ok := p.setting()
			if !ok {
				return nil, badLine(line)
			}
			if now == nil {
				continue
			}
			switch key {
			case "path":
				now.path = value
			case "url":
				now.url, now.line = value, line
			case "update":
				now.skip = value == "none"
			}
		}
	}
}

func badLine(line int) error {
	return errs.New(errs.Invalid, "%s:%d: Git can't read this line, so nobody knows where the submodules come from. git submodule status says so too.", ModulesFile, line)
}

// configReader reads Git's configuration files.
type configReader struct {
	rest string
	line int
}

func (p *configReader) peek() (byte, bool) {
	if p.rest == "" {
		return 0, false
	}
	return p.rest[0], true
}

func (p *configReader) next() (byte, bool) {
	if strings.HasPrefix(p.rest, "\r\n") {
		p.rest = p.rest[1:]
	}
	c, ok := p.peek()
	if ok {
		p.rest = p.rest[1:]
		if c == '\n' {
			p.line++
		}
	}
	return c, ok
}

// blanks skips blanks, empty lines and comments.
func (p *configReader) blanks() {
	for {
		c, ok := p.peek()
		switch {
		case ok && (c == '#' || c == ';'):
			for c, ok = p.next(); ok && c != '\n'; {
				c, ok = p.next()
			}
		case ok && isBlank(c):
			p.next()
		default:
			return
		}
	}
}

func isBlank(c byte) bool { return c == ' ' || c == '\t' || c == '\n' || c == '\r' }

func isName(c byte) bool {
	return c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' || c == '-'
}

// header reads [section], [section.name] or [section "name"].
func (p *configReader) header() (section, name string, ok bool) {
	p.next()
	for {
		c, more := p.next()
		switch {
		case !more:
			return "", "", false
		case c == ']':
			section, name, _ = strings.Cut(strings.ToLower(section), ".")
			return section, name, section != ""
		case c == ' ' || c == '\t':
			name, ok = p.quotedName()
			return strings.ToLower(section), name, ok
		case isName(c) || c == '.':
			section += string(c)
		default:
			return "", "", false
		}
	}
}

func (p *configReader) quotedName() (string, bool) {
	c, ok := p.next()
	for ok && (c == ' ' || c == '\t') {
		c, ok = p.next()
	}
	if c != '"' {
		return "", false
	}
	var name []byte
	for {
		c, ok = p.next()
		switch {
		case !ok || c == '\n':
			return "", false
		case c == '"':
			c, ok = p.next()
			return string(name), ok && c == ']'
		case c == '\\':
			if c, ok = p.next(); !ok || c == '\n' {
				return "", false
			}
		}
		name = append(name, c)
	}
}

// setting reads key = value up to the end of the line.
func (p *configReader) setting() (key, value string, ok bool) {
	for {
		c, more := p.peek()
		if !more || !isName(c) {
			break
		}
		key += string(c)
		p.next()
	}
	if key == "" || key[0] >= '0' && key[0] <= '9' || key[0] == '-' {
		return "", "", false
	}
	c, more := p.next()
	for more && (c == ' ' || c == '\t') {
		c, more = p.next()
	}
	switch {
	case !more || c == '\n':
		return strings.ToLower(key), "", true
	case c != '=':
		return "", "", false
	}
	value, ok = p.value()
	return strings.ToLower(key), value, ok
}

func (p *configReader) value() (string, bool) {
	var out []byte
	quoted, end := false, 0 // end: of what is not blanks at the end
	for {
		c, more := p.next()
		switch {
		case !more || c == '\n':
			return string(out[:end]), !quoted
		case !quoted && (c == '#' || c == ';'):
			for more && c != '\n' {
				c, more = p.next()
			}
			return string(out[:end]), true
		case !quoted && isBlank(c):
			if len(out) > 0 {
				out = append(out, c)
			}
			continue
		case c == '"':
			quoted = !quoted
			end = len(out)
			continue
		case c == '\\':
			c, _ = p.next()
			switch c {
			case '\n':
				continue
			case 't':
				c = '\t'
			case 'b':
				c = '\b'
			case 'n':
				c = '\n'
			case '\\', '"':
			default:
				return "", false
			}
		}
		out = append(out, c)
		end = len(out)
	}
}
