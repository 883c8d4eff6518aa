# Divergence from the reference along the context: do errors grow as the cache fills?
# data: one block a variant: position, KL divergence, error, both ends of its bar; those of variants that lie on another
# come after the drawn ones.  label[]: names.  type[]: line types.  dodge[]: what is added to the position, so that bars
# do not hide each other.  panels: 1, or one for each group of variants.  band: the block with the range of all, or -1
eval frame
eval panels_begin
do for [p=1:panels] {
  eval panel
  plot data index (band < 0 ? 0 : band) using 1:(band < 0 ? NaN : $2):(band < 0 ? NaN : $3) with filledcurves lc rgb '#eef1f4', \
    for [i=panel_first[p]:panel_last[p]] data index i using ($1+dodge[i+1]):2 with lines lt type[i+1] lw 1.4, \
    for [i=panel_first[p]:panel_last[p]] data index i using ($1+dodge[i+1]):4:(0):($5 > $4 ? $5-$4 : NaN) @bars lt type[i+1], \
    for [i=panel_first[p]:panel_last[p]] data index i using ($1+dodge[i+1]):2 with points lt type[i+1] ps (panels > 1 ? 0.35 : 0.6)
  eval panels_next
}
eval panels_end
