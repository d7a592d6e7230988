# For `snakemake` in a checkout. Other workflows take workflow/Snakefile in the same way, from a tag.
module neural_action:
    snakefile:
        "workflow/Snakefile"
    config:
        config


use rule * from neural_action


onstart:
    neural_action.onstart()
