// Package migrate makes the reference schema on an empty database: the table
// ccm_generaciones and the views vwMisioneros and vwFechasCCMPorDistrito that
// package store reads.
//
//  1. [Inspect] says what kind of database it is and which migrations it lacks.
//     It changes nothing.
//  2. [Up] applies what is missing, under a lock, so that several replicas may
//     call it at once.
//
// A database that has both views without our migrations is [Adopted]: it is
// somebody else's, and Up leaves it as it is and succeeds. One where some of our
// names are taken by something else is [Occupied], and Up refuses it. Other
// tables do no harm: Up adds ours beside them.
//
// What was applied is recorded in the table ccm_migraciones.
package migrate
