from probing.figures.save import save_table
def draw_head_map(rows, path):
    return (save_table(rows, path),)
