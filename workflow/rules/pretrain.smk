# Pretraining, one job a row, holdout and seed.
rule pretrain:
    input:
        unpack(plan.pretrain_inputs),
        manifests=lambda wildcards: plan.manifests(wildcards.holdout),
        folds=plan.folds,
    output:
        weights=f"{RUN}/model.safetensors",
        description=f"{RUN}/model.json",
        log=f"{RUN}/log.csv",
    log:
        f"{RESULTS}/logs/pretrain/{{method}}/{{holdout}}/seed-{{seed}}.log",
    benchmark:
        f"{RESULTS}/benchmarks/pretrain/{{method}}/{{holdout}}/seed-{{seed}}.tsv"
    wildcard_constraints:
        holdout=r"none|fold-\d+|(animal|split|joint)-.+",
    conda:
        ENVIRONMENT
    threads: 1
    resources:
        mem_mb=grows(4000),
        runtime=grows(120),
        gpu=plan.gpus,
    params:
        config=lambda wildcards: plan.pretrain_sections(wildcards.method),
        code=lambda wildcards: plan.code(
            "pretrain", plan.method_modules(wildcards.method)
        ),
        given=lambda wildcards: options(plan.pretrain_inputs(wildcards)),
    shell:
        "python -m neural_action pretrain --config {params.config:q} --method {wildcards.method} --folds {input.folds:q}"
        " --holdout {wildcards.holdout:q} --seed {wildcards.seed} {params.given:q}"
        " --threads {threads} --output {output.weights:q} --log {output.log:q} {input.manifests:q} 2> {log:q}"


# Adapting a model to the animal that its pretraining did not see: a holdout of its own kind, so that what follows
# is the same for both.
rule adapt:
    input:
        unpack(plan.pretrain_inputs),
        manifests=lambda wildcards: plan.manifests(wildcards.holdout),
        folds=plan.folds,
        start=lambda wildcards: plan.unadapted(wildcards, RUN),
    output:
        weights=f"{RUN}/model.safetensors",
        description=f"{RUN}/model.json",
        log=f"{RUN}/log.csv",
    log:
        f"{RESULTS}/logs/adapt/{{method}}/{{holdout}}/seed-{{seed}}.log",
    benchmark:
        f"{RESULTS}/benchmarks/adapt/{{method}}/{{holdout}}/seed-{{seed}}.tsv"
    wildcard_constraints:
        holdout=r"adapted-.+-fold-\d+",
    conda:
        ENVIRONMENT
    threads: 1
    resources:
        mem_mb=grows(4000),
        runtime=grows(30),
        gpu=plan.gpus,
    params:
        config=lambda wildcards: plan.adapt_sections(wildcards.method),
        code=lambda wildcards: plan.code("adapt", plan.method_modules(wildcards.method)),
        given=lambda wildcards: options(plan.pretrain_inputs(wildcards)),
    shell:
        "python -m neural_action adapt --config {params.config:q} --method {wildcards.method} --folds {input.folds:q}"
        " --holdout {wildcards.holdout:q} --seed {wildcards.seed} --weights {input.start:q} {params.given:q}"
        " --threads {threads} --output {output.weights:q} --log {output.log:q} {input.manifests:q} 2> {log:q}"
