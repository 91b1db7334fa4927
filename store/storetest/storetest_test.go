package storetest_test

import (
	"testing"

	"github.com/ccmwf/ccm/docker/testenv"
	"github.com/ccmwf/ccm/store/storetest"
)

func TestMain(m *testing.M) { testenv.Main(m) }

func TestMySQL(t *testing.T) {
	storetest.Run(t, testenv.MySQL)
	storetest.RunServer(t, testenv.MySQL)
}

func TestMariaDB(t *testing.T) {
	storetest.Run(t, testenv.MariaDB)
	storetest.RunServer(t, testenv.MariaDB)
}
