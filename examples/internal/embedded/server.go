package embedded

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"

	sqle "github.com/dolthub/go-mysql-server"
	"github.com/dolthub/go-mysql-server/memory"
	"github.com/dolthub/go-mysql-server/server"
	"github.com/dolthub/go-mysql-server/sql"
	"github.com/dolthub/go-mysql-server/sql/mysql_db"
	"github.com/sirupsen/logrus"

	"github.com/ccmwf/ccm/examples/internal/sample"
	"github.com/ccmwf/ccm/store"
)

// Database is the name of the one database a Server has.
const Database = "ccm"

// Server is a MySQL server in this process, in memory, on a port of its own.
type Server struct {
	url    string
	server *server.Server
	served chan struct{}
}

// Start serves an empty database on a free port of 127.0.0.1. It accepts
// connections when it returns.
func Start(ctx context.Context) (*Server, error) {
	listener, err := new(net.ListenConfig).Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return nil, fmt.Errorf("embedded: %w", err)
	}
	db := memory.NewDatabase(Database)
	db.EnablePrimaryKeyIndexes()
	provider := memory.NewDBProvider(db)
	engine := sqle.NewDefault(provider)
	accounts := engine.Analyzer.Catalog.MySQLDb
	accounts.SetPersister(&mysql_db.NoopPersister{})
	editor := accounts.Editor()
	accounts.AddSuperUser(editor, "root", "127.0.0.1", "")
	editor.Close()
	srv, err := server.NewServer(server.Config{Protocol: "tcp", Listener: listener}, engine,
		sql.NewContext, memory.NewSessionBuilder(provider), nil)
	if err != nil {
		listener.Close()
		return nil, fmt.Errorf("embedded: %w", err)
	}
	s := &Server{
		url:    fmt.Sprintf("mysql://root@%s/%s", listener.Addr(), Database),
		server: srv,
		served: make(chan struct{}),
	}
	go func() {
		defer close(s.served)
		_ = srv.Start() // it ends with Close
	}()
	return s, nil
}

// StartSample is [Start] and [sample.Load].
func StartSample(ctx context.Context, today store.Date) (*Server, error) {
	s, err := Start(ctx)
	if err != nil {
		return nil, err
	}
	if err := sample.Load(ctx, s.URL(), today); err != nil {
		return nil, errors.Join(err, s.Close())
	}
	return s, nil
}

// URL is the address for store.Config and migrate.Up.
func (s *Server) URL() string { return s.url }

// Close ends every connection and forgets the data.
func (s *Server) Close() error {
	err := s.server.Close()
	<-s.served
	return err
}

func init() { logrus.SetOutput(io.Discard) }
