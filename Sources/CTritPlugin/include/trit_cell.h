// What the process that runs a notebook's cells needs of C: it calls the main of a cell, and
// catches the error that leaves it. For the lab alone.
#ifndef TRIT_CELL_H
#define TRIT_CELL_H

// Calls `entry`, the main of a cell that was linked with --wrap=swift_errorInMain. 0 where it
// ended; 1 where an error left it: `*error` is that error, a retained object of Swift.
int trit_cell_run(void *entry, void **error);

// From now on the frames of the newest throw in this process are kept.
void trit_cell_watch_throws(void);

// Forgets the frames that are kept.
void trit_cell_forget_throw(void);

// The addresses of the calls that led to the newest throw, the innermost first: at most `most`, and
// how many there are.
int trit_cell_throw_frames(void **frames, int most);

// Standard output is written line by line from now on.
void trit_cell_lines(void);

// An address within the library of `handle`, as dlopen gave it; null where none is known.
void *trit_library_inside(void *handle);

#endif
