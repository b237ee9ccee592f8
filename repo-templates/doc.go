// Package repotemplates holds the bundled blueprints as data: the files from
// which a client's repository is made.
//
// Each folder but common is a blueprint, named after the folder. Its file
// blueprint.hcl says what it is, which values it takes and where a first change
// is best made, and is not handed on. What stands in common is laid under every
// blueprint; a blueprint's own file of the same path goes before it.
//
// A file that ends in .tmpl is a text/template whose delimiters are [[ and ]],
// so that HCL needs no escaping, and loses that ending. It sees the values
// that blueprint.hcl lists, as in [[ .client ]], and no others. Every other
// file is handed on byte for byte, whatever stands in it.
//
// Files whose names begin with a dot are embedded too, so nothing may be left
// lying here: the tests of internal/blueprint know each file by name. A go.mod
// would end this module at its folder, and embedding can't take one.
//
// The package renders nothing itself: internal/blueprint does.
package repotemplates
